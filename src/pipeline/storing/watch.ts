import type { S3Client } from '@aws-sdk/client-s3';
import { folderOf } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { endRun, outcomeOfStatus } from '../run/ended.ts';
import { findQueue } from '../run/queues.ts';
import { startCollector } from '../run/start-collector.ts';
import { type RunStatus, runsOf } from '../run/status.ts';
import { recordGone } from './follow.ts';
import { StateObject, Superseded } from './state-object.ts';

/** Restarts without any progress after which a run must be collected by hand. */
const MOST_RESTARTS = 5;

/** Age up to which the first collector of a run may still be about to start, in milliseconds. */
const YOUNG_MS = 120_000;

export interface WatchOptions {
  deployment: Deployment;
  s3: S3Client;
  onRestarted: (run: RunStatus) => void;
  /**
   * Restarts have not helped, or the run's record was deleted, and there will be no more. Called at
   * each look at such a run.
   */
  onGivenUp: (run: RunStatus) => void;
  /** A run could not be looked after: others still are. */
  onFailed: (run: RunStatus, error: unknown) => void;
}

/** Starts another collector for each stored run whose collector has died. */
export async function watchStoredRuns(options: WatchOptions): Promise<void> {
  for await (const run of runsOf(options.deployment)) {
    const { output, collector, createdAt, readAt } = run;
    if (output === undefined || collector !== undefined || readAt - createdAt < YOUNG_MS) continue;
    await restart(run, output, options).catch((error: unknown) => {
      // Another collector has just taken the run.
      if (!(error instanceof Superseded)) options.onFailed(run, error);
    });
  }
}

async function restart(
  run: RunStatus,
  output: string,
  { deployment, s3, onRestarted, onGivenUp }: WatchOptions,
): Promise<void> {
  const folder = folderOf(output);
  const state = await StateObject.load(s3, folder);
  if (state === undefined) {
    onGivenUp(run);
    const { expiresAt, readAt } = run;
    if (expiresAt !== undefined && expiresAt < readAt) return endWithout(run, deployment);
    throw recordGone(run.runId, folder);
  }
  const { epoch, restarts, isGivenUp } = state.run;
  if (isGivenUp || restarts >= MOST_RESTARTS) {
    // A new epoch excludes the collectors before.
    if (!isGivenUp) await state.replace({ isGivenUp: true, epoch: epoch + 1, owner: '' });
    onGivenUp(run);
    return;
  }
  await startCollector(deployment, { runId: run.runId, output, epoch, restart: true });
  onRestarted(run);
}

/** Ends a run whose record was deleted: without it, nobody knows which results are stored. */
async function endWithout(run: RunStatus, { sqs, names, payloads }: Deployment): Promise<void> {
  const queueUrl = await findQueue(sqs, names.run(run.runId));
  if (queueUrl === undefined) return;
  const cause = 'its record in S3 was deleted, and its deadline passed';
  await endRun({ sqs, names }, queueUrl, outcomeOfStatus(run, cause));
  await payloads?.deleteOf(run.runId, true);
}
