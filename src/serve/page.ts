import type { IncomingMessage, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { backlogOf } from '../pipeline/run/backlog.ts';
import type { Deployment } from '../pipeline/run/deployment.ts';
import { endedRunsOf } from '../pipeline/run/ended.ts';
import { runsOf, statusOf } from '../pipeline/run/status.ts';
import { cancelRun } from '../pipeline/runs/cancel.ts';
import { type KnownRun, statisticsOfRun } from '../pipeline/runs/statistics-of-run.ts';
import { pauseRun, setRun, unpauseRun } from '../pipeline/seeding/set-run.ts';
import { DeploymentRuns } from '../ui/deployment-runs.ts';
import { SharedSecret } from '../ui/entrance.ts';
import { liveHtml } from '../ui/live-html.ts';
import { Ui } from '../ui/ui.ts';

/** Least time between two readings of the same, in milliseconds: they are of this process. */
const EVERY_MS = 500;

export interface PageOptions {
  deployment: Deployment;
  /** Lets people in. */
  secret: string;
  port: number;
  isSecure: boolean;
  /** The address that the server listens on, which may be a name. */
  host: string;
}

/** Takes requests for the server's live page: returns whether it was one. All others are for SQS. */
export function pageOf(options: PageOptions) {
  const { deployment, secret, port, isSecure } = options;
  const place = {
    runs: () => runsOf(deployment),
    endedRuns: () => endedRunsOf(deployment),
    status: (runId: string) => statusOf(deployment, runId),
    statistics: (run: KnownRun) => statisticsOfRun(deployment, undefined, run),
    // It stores no results in S3.
    result: async () => undefined,
    backlog: () => backlogOf(deployment),
    cancel: (runId: string) => cancelRun(deployment, runId),
    pause: (runId: string) => pauseRun(deployment, runId),
    unpause: (runId: string) => unpauseRun(deployment, runId),
    set: (...[runId, changes]: SetArguments) => setRun(deployment, runId, changes),
  };
  const ui = new Ui({
    runs: new DeploymentRuns(place, { name: 'this server', everyMs: EVERY_MS }),
    entrance: new SharedSecret(secret),
    isHost: (host) => isOwn(host, options),
    ...{ cookie: `fanfold-${port}`, isSecure, pages: { '/ui': liveHtml } },
  });
  return (request: IncomingMessage, response: ServerResponse): boolean => {
    if (!ui.has(request)) return false;
    void ui.answer(request, response);
    return true;
  };
}

type SetArguments = [runId: string, changes: Parameters<typeof setRun>[2]];

/**
 * Whether a `Host` header names this server. By DNS, a site can have its own name resolve to this
 * machine, but no address, and without this server's certificate not by TLS.
 */
function isOwn(given: string, { host, isSecure }: PageOptions): boolean {
  if (!URL.canParse(`http://${given}`)) return false;
  const name = new URL(`http://${given}`).hostname;
  const own = ['localhost', host, hostname()].map((one) => one.toLowerCase());
  return isSecure || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || own.includes(name);
}
