import { ListQueuesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { FanfoldError, valueText } from '../../errors.ts';
import { type Cost, repriced } from '../../planning/cost.ts';
import { retry } from '../../retry.ts';
import { isMissingQueue, isThrottled, PATIENCE_MS } from '../call-errors.ts';
import { createdAt, newRunId } from '../names.ts';
import { countOf } from './backlog.ts';
import type { Deployment } from './deployment.ts';
import { ABSENT_MS, collectorOf } from './heartbeat.ts';
import { findExpectedQueue } from './queues.ts';
import { type RunSettings, settingsOf } from './settings.ts';
import { type RunTags, readTags } from './tags.ts';

/** A run's status, as seen from outside. Its collector updates it at most twice a minute. */
export interface RunStatus extends RunSettings {
  /** The run's id. */
  runId: string;
  /** The task's name. */
  task: string;
  /** `seeding` until all inputs are with SQS. */
  state: 'seeding' | 'sealed';
  /** Number of inputs, if it is known yet. */
  total: number | undefined;
  /** Collected results that are `ok`, as of `collectedAt`. */
  ok: number;
  /** Collected results that are `failed`, as of `collectedAt`. */
  failed: number;
  /** In milliseconds since 1970, as all times here are. */
  createdAt: number;
  /** The collector's last heartbeat; undefined if there was none, or the collector has left. */
  collectedAt: number | undefined;
  /** The live collector of the run, if it has one. */
  collector: string | undefined;
  /** The folder in S3 where the deployment's collector function stores its results, if it does. */
  output: string | undefined;
  /** What it has cost as of `collectedAt`, as metered; undefined where AWS bills nothing. */
  cost?: Cost | undefined;
  /** Approximate number of result messages that wait to be collected. */
  waiting: number;
  /** Time of this reading. All times are by SQS's clock, which may differ from this machine's. */
  readAt: number;
}

/** @throws FanfoldError `BadOption` if it is not a run id */
export function checkRunId(runId: string): void {
  if (createdAt(runId) !== undefined) return;
  throw new FanfoldError(
    'BadOption',
    `A run id must be like "${newRunId()}"; got ${valueText(runId)}.`,
  );
}

export function unknownRun(runId: string, name: string): FanfoldError {
  return new FanfoldError(
    'UnknownRun',
    `There is no run ${runId} on "${name}": it has ended, or never existed.`,
  );
}

/** A run's status; undefined if there is no such run, or it is over. */
export async function statusOf(
  { sqs, names, prices }: Pick<Deployment, 'sqs' | 'names' | 'prices'>,
  runId: string,
): Promise<RunStatus | undefined> {
  const url = await findExpectedQueue(sqs, names.run(runId));
  const status = url === undefined ? undefined : await readStatus(sqs, url, runId);
  return status && repriced(status, { prices });
}

/** Runs that are read in parallel. AWS allows 30 tag calls a second per account. */
const PARALLEL = 5;

/** All runs of a deployment that are not over, oldest first. */
export async function* runsOf({
  sqs,
  names,
  prices,
}: Pick<Deployment, 'sqs' | 'names' | 'prices'>): AsyncGenerator<RunStatus, void> {
  const ahead: Promise<RunStatus | undefined>[] = [];
  const next = async function* (most: number) {
    while (ahead.length > most) {
      const status = await ahead.shift();
      if (status !== undefined) yield repriced(status, { prices });
    }
  };
  for await (const { url, runId } of listed(sqs, names.run(''))) {
    const reading = unthrottled(() => readStatus(sqs, url, runId));
    // Its error is thrown at its turn, and must not be unhandled if the caller stops earlier.
    reading.catch(() => {});
    ahead.push(reading);
    yield* next(PARALLEL - 1);
  }
  yield* next(0);
}

/** Queues of runs. SQS lists up to 1,000 per call. */
async function* listed(sqs: SQSClient, prefix: string) {
  let NextToken: string | undefined;
  do {
    const request = { QueueNamePrefix: prefix, MaxResults: 1000, NextToken };
    const page = await unthrottled(() => sqs.send(new ListQueuesCommand(request)));
    for (const url of page.QueueUrls ?? []) {
      const runId = url.slice(url.lastIndexOf('/') + 1 + prefix.length);
      if (createdAt(runId) !== undefined) yield { url, runId };
    }
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
}

/** Repeats a call while AWS throttles it, for up to `PATIENCE_MS`. */
function unthrottled<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  return retry(call, {
    while: (error, _, failingMs) => isThrottled(error) && failingMs < PATIENCE_MS,
  });
}

/** Reads a run's status from its queue; undefined if the queue is gone. */
export async function readStatus(
  sqs: SQSClient,
  QueueUrl: string,
  runId: string,
): Promise<RunStatus | undefined> {
  try {
    const [tags, { waiting }] = await Promise.all([
      readTags(sqs, QueueUrl),
      countOf(sqs, QueueUrl),
    ]);
    return statusFrom(runId, tags, serviceNow(sqs), waiting);
  } catch (error) {
    // The run ended between being listed and being read.
    if (isMissingQueue(error)) return undefined;
    throw error;
  }
}

/** The status that a run's tags describe. */
export function statusFrom(runId: string, tags: RunTags, readAt: number, waiting = 0): RunStatus {
  return {
    runId,
    task: tags.task ?? '?',
    state: tags.state ?? 'seeding',
    total: tags.total,
    ok: tags.ok ?? 0,
    failed: tags.failed ?? 0,
    createdAt: createdAt(runId) ?? 0,
    ...settingsOf(tags),
    // 0 once its collector has left.
    collectedAt: tags.collectedAt || undefined,
    collector: collectorOf(tags, readAt),
    output: tags.output,
    cost: tags.cost,
    waiting,
    readAt,
  };
}

/**
 * Refuses to collect a run that has a live collector: each would get a part of the results.
 *
 * @param as name of the collector that asks. @default none
 * @throws FanfoldError `BadOption`
 */
export function refuseCollected(
  { runId, collector, collectedAt = 0, readAt }: RunStatus,
  as?: string,
): void {
  if (collector === undefined || collector === as) return;
  const silentMs = readAt - collectedAt;
  const [ago, wait] = [silentMs, ABSENT_MS - silentMs].map((ms) => Math.ceil(ms / 1000));
  throw new FanfoldError(
    'BadOption',
    `Run ${runId} is being collected: its collector sent a heartbeat ${ago} s ago. If the collector has died, try again in ${wait} s.`,
  );
}

/** Whether a run has ended or passed its deadline, although its queue still exists. */
export function isOver(status: RunStatus): boolean {
  return status.collector === undefined && (isComplete(status) || hasExpired(status));
}

export function isComplete({ state, total, ok, failed }: RunStatus): boolean {
  return state === 'sealed' && ok + failed === total;
}

export function hasExpired({ expiresAt, readAt }: RunStatus): boolean {
  return expiresAt !== undefined && readAt > expiresAt;
}
