import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../errors.ts';
import { POLL_SECONDS } from '../pipeline/collecting/result-receiver.ts';
import type {
  BeginAnswer,
  CollectEvent,
  CollectorEvent,
} from '../pipeline/messages/collector-event.ts';
import { folderOf, type S3Folder } from '../pipeline/messages/results-place.ts';
import type { Refusal } from '../pipeline/messages/seed-response.ts';
import type { Deployment } from '../pipeline/run/deployment.ts';
import { startCollector } from '../pipeline/run/start-collector.ts';
import { announcerOn } from '../pipeline/storing/announce.ts';
import { allowedFolder, beginStoredRun } from '../pipeline/storing/begin.ts';
import { collectStored } from '../pipeline/storing/collect-stored.ts';
import type { PartLimits } from '../pipeline/storing/part-store.ts';
import { watchStoredRuns } from '../pipeline/storing/watch.ts';
import {
  callLimits,
  Environment,
  type HandlerOptions,
  type LambdaContext,
  resultPlacesOfEnvironment,
} from './environment.ts';
import { type LogOptions, logFailure } from './telemetry.ts';

/** Time that a collector reserves to store what it has and to start the next, in milliseconds. */
const HANDOVER_MS = 60_000;

export interface CollectorHandlerOptions extends HandlerOptions, LogOptions {
  /** @default a client from the environment */
  s3?: S3Client;
  /** @default a client from the environment */
  events?: EventBridgeClient;
  /**
   * Folders of S3 in which results may be stored, such as `s3://bucket/prefix/`.
   * @default the environment's FANFOLD_RESULT_PLACES, a JSON array of them
   */
  places?: readonly string[];
  /** Called when the collector of a run was restarted several times without progress. */
  onGivenUp?: () => void;
  /** Limits at which parts are written. */
  limits?: PartLimits;
}

/** The answer to an event: nothing, what a run has to begin with, or why it can't begin. */
export type CollectorAnswer = Refusal | BeginAnswer;

/**
 * The collector function's handler. It stores the results of runs in S3 and ends these runs.
 *
 * ```ts
 * export const handler = collectorHandler();
 * ```
 */
export function collectorHandler(
  options: CollectorHandlerOptions = {},
): (event: unknown, context: LambdaContext) => Promise<CollectorAnswer> {
  const place = new Environment(options, POLL_SECONDS);
  let { s3, events } = options;
  const { meter } = place;
  if (s3) meter?.countS3(s3);
  const clients = () => {
    if (s3 === undefined) {
      s3 = new S3Client(callLimits());
      meter?.countS3(s3);
    }
    events ??= new EventBridgeClient(callLimits());
    const { sqs, lambda, names, metered, payloads } = place;
    const deployment: Deployment = {
      ...{ sqs, lambda, names, metered, payloads, countsLate: !options.onServer },
    };
    return { s3, events, deployment };
  };
  return async (event, context) => {
    const known = Object(event) as Partial<Record<'begin' | 'collect' | 'watch', unknown>>;
    if (known.watch === true) await watch();
    else if (known.collect !== undefined) await collect(known.collect as CollectEvent, context);
    else if (known.begin === undefined) throw unknownEvent(event);
    else {
      const { begin } = event as Extract<CollectorEvent, { begin: object }>;
      try {
        return await beginStoredRun(begin, { ...clients(), places: placesOf(options) });
      } catch (error) {
        if (!(error instanceof FanfoldError)) throw error;
        const { code, message } = error;
        options.log?.('warn', 'A run was refused', { error: { code, message } });
        return { error: { code, message } };
      }
    }
    return {};
  };

  async function collect(event: CollectEvent, context: LambdaContext): Promise<void> {
    const { runId, output, epoch, restart = false } = event;
    meter?.begin();
    meter?.workFor(runId);
    const { s3, events, deployment } = clients();
    const time = new AbortController();
    const leftMs = context.getRemainingTimeInMillis() - HANDOVER_MS;
    const timer = setTimeout(() => time.abort(), Math.max(0, leftMs));
    try {
      const collected = await collectStored({
        ...{ deployment, s3, runId, epoch },
        announcer: announcerOn(events, (error) =>
          logFailure(options, 'An event was refused: the run goes on without it', error),
        ),
        folder: allowedFolder(output, placesOf(options)),
        owner: context.awsRequestId,
        isRestart: restart,
        signal: time.signal,
        limits: options.limits,
      });
      options.log?.('info', 'A run was collected', { runId, output, ...collected });
      if (collected.is !== 'continues') return;
      await startCollector(deployment, { runId, output, epoch: collected.epoch });
    } finally {
      clearTimeout(timer);
      meter?.end();
    }
  }

  async function watch(): Promise<void> {
    const { s3, deployment } = clients();
    await watchStoredRuns({
      deployment,
      s3,
      onRestarted: ({ runId }) =>
        options.log?.('warn', 'The collector of a run was restarted', { runId }),
      onGivenUp({ runId }) {
        options.log?.('error', 'The collector of a run was given up', { runId });
        options.onGivenUp?.();
      },
      onFailed: ({ runId }, error) =>
        logFailure(options, `Run ${runId} could not be looked after`, error),
    });
  }
}

function placesOf({ places }: CollectorHandlerOptions): S3Folder[] {
  return (places ?? resultPlacesOfEnvironment()).map(folderOf);
}

function unknownEvent(event: unknown): FanfoldError {
  return new FanfoldError(
    'BadInput',
    `An event of the collector function must be {"begin": ...}, {"collect": ...} or {"watch": true}; got ${JSON.stringify(event)?.slice(0, 100)}.`,
  );
}
