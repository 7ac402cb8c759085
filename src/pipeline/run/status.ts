import { GetQueueAttributesCommand, ListQueuesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { FanfoldError } from '../../errors.ts';
import { retry } from '../../retry.ts';
import { isMissingQueue, isThrottled, PATIENCE_MS } from '../call-errors.ts';
import { createdAt, type Names, newRunId } from '../names.ts';
import { collectorOf } from './heartbeat.ts';
import { findSurely } from './queues.ts';
import { readTags } from './tags.ts';

/** What is known of a run from outside. Its collector says how far it is, twice a minute at most. */
export interface RunStatus {
  runId: string;
  task: string;
  /** `seeding` until all inputs are with SQS. */
  state: 'seeding' | 'sealed';
  /** How many inputs it has, where that is known yet. */
  total: number | undefined;
  /** Results that were collected, as of `collectedAt`. */
  ok: number;
  failed: number;
  /** In milliseconds since 1970, as all times here are. */
  createdAt: number;
  expiresAt: number | undefined;
  /** The collector's last sign of life; undefined when there was none. */
  collectedAt: number | undefined;
  /** Who collects it, where it was heard lately; undefined where nobody does. */
  collector: string | undefined;
  /** Messages of results that wait to be collected, about. */
  waiting: number;
  /** When this was read. All times here are by the clock of SQS, which this machine's may differ from. */
  readAt: number;
}

/** @throws FanfoldError `BadOption` for what is no run id */
export function checkRunId(runId: string): void {
  if (createdAt(runId) !== undefined) return;
  throw new FanfoldError('BadOption', `A run id is like "${newRunId()}"; "${runId}" is not.`);
}

export function unknownRun(runId: string, name: string): FanfoldError {
  return new FanfoldError(
    'UnknownRun',
    `There is no run ${runId} on "${name}": it has ended, or was never there.`,
  );
}

/** A run's status; undefined when there is no such run, or none any more. */
export async function statusOf(
  { sqs, names }: { sqs: SQSClient; names: Names },
  runId: string,
): Promise<RunStatus | undefined> {
  const url = await findSurely(sqs, names.run(runId));
  return url === undefined ? undefined : read(sqs, url, runId);
}

/** Runs that are read at once. AWS answers 30 calls about tags a second in an account. */
const PARALLEL = 5;

/** All runs of a deployment that are not over, oldest first. */
export async function* runsOf({
  sqs,
  names,
}: {
  sqs: SQSClient;
  names: Names;
}): AsyncGenerator<RunStatus, void> {
  const ahead: Promise<RunStatus | undefined>[] = [];
  const next = async function* (most: number) {
    while (ahead.length > most) {
      const status = await ahead.shift();
      if (status !== undefined) yield status;
    }
  };
  for await (const { url, runId } of listed(sqs, names.run(''))) {
    const reading = unthrottled(() => read(sqs, url, runId));
    // Its error is thrown when it is its turn, unless nobody asks any more.
    reading.catch(() => {});
    ahead.push(reading);
    yield* next(PARALLEL - 1);
  }
  yield* next(0);
}

/** Runs' queues, of which SQS lists 1,000 a call. */
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

/** Makes a call until AWS does not throttle it, within reason. */
function unthrottled<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  return retry(call, {
    while: (error, _, failingMs) => isThrottled(error) && failingMs < PATIENCE_MS,
  });
}

async function read(
  sqs: SQSClient,
  QueueUrl: string,
  runId: string,
): Promise<RunStatus | undefined> {
  try {
    const [tags, { Attributes = {} }] = await Promise.all([
      readTags(sqs, QueueUrl),
      sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ['ApproximateNumberOfMessages'],
        }),
      ),
    ]);
    const readAt = serviceNow(sqs);
    return {
      runId,
      task: tags.task ?? '?',
      state: tags.state ?? 'seeding',
      total: tags.total,
      ok: tags.ok ?? 0,
      failed: tags.failed ?? 0,
      createdAt: createdAt(runId) ?? 0,
      expiresAt: tags.expiresAt,
      // 0 once its collector has left.
      collectedAt: tags.collectedAt || undefined,
      collector: collectorOf(tags, readAt),
      waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
      readAt,
    };
  } catch (error) {
    // It ended between being listed and being looked at.
    if (isMissingQueue(error)) return undefined;
    throw error;
  }
}
