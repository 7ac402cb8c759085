import type { SQSClient } from '@aws-sdk/client-sqs';
import { count, FanfoldError, InputError, messageOf } from '../../errors.ts';
import type { AnyTask } from '../../task.ts';
import type { TaskRegistry } from '../../task-registry.ts';
import { type ChunkItem, chunkBody, chunkItemsFor, cut, messageText } from '../messages/chunk.ts';
import { costLimitOf } from '../messages/cost-limit.ts';
import { type Bounds, flowOf } from '../messages/flow.ts';
import type { InputsMark } from '../messages/inputs-mark.ts';
import { laneChunkItems } from '../messages/lane-chunks.ts';
import { readPayloadItem } from '../messages/payload.ts';
import { groupOf } from '../messages/priority.ts';
import { MAX_RUN_INPUTS, tooManyInputs } from '../messages/result.ts';
import { hasOwnQueue, type PageRequest, type SeedRequest } from '../messages/seed-request.ts';
import type { SeedResponse } from '../messages/seed-response.ts';
import {
  createdAt,
  DEADLINE_SECONDS,
  MAX_DEADLINE_SECONDS,
  type Names,
  newRunId,
} from '../names.ts';
import { type ResultsTo, siblingUrl } from '../queue-urls.ts';
import type { Payloads } from '../run/payloads.ts';
import { createRunQueue, findExpectedQueue, findQueue } from '../run/queues.ts';
import { sendAll } from '../run/send.ts';
import { startCollector } from '../run/start-collector.ts';
import { isLargeInput, storeInput } from '../run/store-input.ts';
import type { RunTags } from '../run/tags.ts';
import { checkSameRun } from './same-run.ts';
import {
  type BegunStored,
  beginStored,
  fewerInputs,
  type StoredResults,
} from './stored-results.ts';

export interface SeedOptions {
  sqs: SQSClient;
  names: Names;
  tasks: TaskRegistry;
  taskQueueUrl: string;
  /** Approximate number of workers: chunks are cut so that all have some. */
  workers: number;
  /**
   * Counts the workers that are there now, which a rate is shared among. @default `workers`, of
   * which all are expected to be there
   */
  liveWorkers?: (() => number) | undefined;
  /** Stores results in S3. @default such requests are refused */
  stored?: StoredResults | undefined;
  /** Takes inputs that no message can hold. @default they are refused */
  payloads?: Payloads | undefined;
  /** Used when the request names no run. */
  runId?: string;
  /** Largest number of inputs that the run can have, if their number is not known. */
  bound?: number;
  /** Mark of the object that the inputs are read from. */
  mark?: InputsMark | undefined;
}

/** Longest lead of the time in a run id over the seed's clock, in milliseconds. */
const AHEAD_MS = 300_000;

/** A run id older than this gets no new queue, as it has had one before. In milliseconds. */
const CREATE_WITHIN_MS = 3_600_000;

/**
 * Cuts one page of inputs into chunks and sends them. The page is checked as a whole before
 * anything is queued.
 *
 * @throws FanfoldError when the request is refused
 */
export async function seed(request: PageRequest, options: SeedOptions): Promise<SeedResponse> {
  const { task, pauseWhenFailing } = request;
  const results: ResultsTo = hasOwnQueue(request.results) ? 'own' : 'shared';
  const taskHere = options.tasks.require(task);
  const { flow, chunkItemsOf } = planOf(taskHere, request, options);
  const runId = request.runId ?? options.runId ?? newRunId();
  const expiresAt = expiryOf(request, runId);
  const items = await withLarge(itemsOf(request), runId, options);
  const total = request.total ?? items.length;
  const { about = total } = request;
  const { chunkItems = chunkItemsOf(about) } = request;
  let chunks = cut(items, chunkItems);
  const { first: at = 0, continues = at > 0 } = request;
  const costLimit = costLimitOf(request);
  const tags = { expiresAt, flow, pauseWhenFailing, costLimit, inputs: options.mark };
  const begun = continues
    ? undefined
    : await beginStored(request, { runId, expiresAt, mark: options.mark }, options);
  const { output, kept, over } = begun ?? {};
  if (begun && over) return overAlready(request, { runId, count: items.length, ...begun }, options);
  if (kept) {
    if (total < kept.inputs && !request.more) throw fewerInputs(kept.inputs, total);
    const left = items.filter(({ index }) => !kept.settled.has(index));
    chunks = cut(left, chunkItems);
  }
  const resultQueueUrl = await (results === 'own'
    ? ownQueue(request, runId, items.length, { ...tags, output }, options)
    : sharedQueue(options));
  const most = flow?.lanes ?? Math.max(options.workers, options.liveWorkers?.() ?? 0);
  const workers = Math.min(most, Math.max(chunks.length, Math.ceil(about / chunkItems)));
  const envelope = {
    runId,
    task,
    attempt: 1,
    expiresAt,
    results,
    workers: Math.max(1, workers),
    flow,
    hedge: hedgeOf(taskHere, request),
    priority: request.priority,
  };
  await sendAll(
    options.sqs,
    options.taskQueueUrl,
    chunks.map((chunk) => {
      const turn = flow && Math.floor((chunk[0]?.index ?? 0) / chunkItems);
      // Another page may be of a run that is resumed.
      const opens = (!continues && flow && turn !== undefined && turn < flow.lanes) || undefined;
      return { body: chunkBody({ ...envelope, turn, opens }, chunk), groupId: groupOf(envelope) };
    }),
  );
  if (output !== undefined && options.stored) {
    const { lambda } = options.stored;
    await startCollector({ lambda, names: options.names }, { runId, output, epoch: 0 });
  }
  const first = items[0]?.index ?? at;
  const sent = { first, count: items.length, chunks: chunks.length };
  return { runId, task, ...sent, resultQueueUrl, ...(output === undefined ? {} : { output }) };
}

/** The answer to a repeated first request: the first try was answered, too, and the run has ended. */
function overAlready(
  { task, first = 0 }: PageRequest,
  { runId, count, output, over }: BegunStored & { runId: string; count: number },
  { names, taskQueueUrl }: SeedOptions,
): SeedResponse {
  const resultQueueUrl = siblingUrl(taskQueueUrl, names.run(runId));
  return { runId, task, first, count, chunks: 0, resultQueueUrl, output, over };
}

/** @throws FanfoldError `BadInput` for a task that must not run twice over an input at once */
function hedgeOf({ name, idempotent }: AnyTask, { hedge }: PageRequest): true | undefined {
  if (!hedge) return undefined;
  if (idempotent) return true;
  throw new FanfoldError(
    'BadInput',
    `To hedge (\`--hedge\`, \`hedge: true\`) is to run an input a second time while its first attempt still runs, so the task "${name}" must be defined with \`idempotent: true\`.`,
  );
}

/** The flow of a run, and the number of inputs in its chunks by the number of its inputs. */
export function planOf(
  { concurrency: each, runConcurrency }: Pick<AnyTask, 'concurrency' | 'runConcurrency'>,
  { concurrency = runConcurrency, rate, hedge }: Bounds & { hedge?: boolean | undefined },
  { workers, liveWorkers = () => workers }: Pick<SeedOptions, 'workers' | 'liveWorkers'>,
) {
  const live = liveWorkers();
  const flow = flowOf({ concurrency, rate }, live, each);
  const chunkItemsOf = (inputs: number) =>
    flow
      ? laneChunkItems(flow, inputs, each, live || workers, hedge)
      : chunkItemsFor(inputs, workers, each);
  return { flow, chunkItemsOf };
}

export function expiryOf(request: SeedRequest, runId: string): number {
  const { expiresAt, first = 0, continues = first > 0 } = request;
  const now = Date.now();
  const born = createdAt(runId) ?? now;
  // If the run has begun, this machine's clock was set back.
  if (!continues && born > now + AHEAD_MS) {
    const [theirs, ours] = [born, now].map((time) => new Date(time).toISOString());
    throw new FanfoldError(
      'BadInput',
      `Run ${runId} begins in the future: its id has the time ${theirs}, and the time here is ${ours}. Correct the clock of the machine that created the id, or leave \`runId\` out.`,
    );
  }
  const endsAt = expiresAt ?? born + DEADLINE_SECONDS * 1000;
  if (endsAt <= born || endsAt > born + MAX_DEADLINE_SECONDS * 1000) {
    throw new FanfoldError(
      'BadInput',
      `\`expiresAt\` must be after the beginning of run ${runId}, and at most 13 days after it; got ${expiresAt}.`,
    );
  }
  // A caller that gives a deadline collects the run, and ends it by then.
  if (expiresAt !== undefined || endsAt > now) return endsAt;
  throw new FanfoldError(
    'BadInput',
    `Run ${runId} is too old: its deadline was ${new Date(endsAt).toISOString()}, and workers would drop its inputs. Leave \`runId\` out for a new run.`,
  );
}

function itemsOf({
  inputs,
  first = 0,
  indexes,
  total = Number.POSITIVE_INFINITY,
}: PageRequest): ChunkItem[] {
  const texts = textsOf(inputs);
  const ranges = indexes ?? (texts.length > 0 ? [[first, first + texts.length - 1] as const] : []);
  const items: ChunkItem[] = [];
  for (const [from, to] of ranges) {
    for (let index = from; index <= to; index++) {
      items.push({ index, text: texts[items.length] ?? '' });
    }
  }
  const end = (items.at(-1)?.index ?? -1) + 1;
  if (end > total) {
    throw new FanfoldError(
      'BadInput',
      `\`total\`, the number of the run's inputs, is ${total}; got input ${end - 1}, which is beyond the last.`,
    );
  }
  if (end > MAX_RUN_INPUTS) throw tooManyInputs();
  if (items.length !== texts.length) {
    throw new FanfoldError(
      'BadInput',
      `\`indexes\` must have one index for each input; got ${items.length} for ${count(texts.length, 'input')}.`,
    );
  }
  if (typeof inputs === 'object' && 'lines' in inputs) checkLines(inputs.lines, items);
  return items;
}

/** The inputs as JSON texts, fit for a message. */
function textsOf(inputs: PageRequest['inputs']): string[] {
  if (Array.isArray(inputs)) return inputs.map((input) => messageText(JSON.stringify(input)));
  if ('lines' in inputs) return inputs.lines === '' ? [] : messageText(inputs.lines).split('\n');
  return Array.from({ length: inputs.to - inputs.from + 1 }, (_, at) => String(inputs.from + at));
}

/** Stores the inputs that no message can hold. The caller may have done so before. */
async function withLarge(
  items: ChunkItem[],
  runId: string,
  { payloads }: SeedOptions,
): Promise<ChunkItem[]> {
  if (!items.some(({ text }) => isLargeInput(text))) return items;
  const fitting: ChunkItem[] = [];
  for (const { index, text } of items) {
    const isLarge = isLargeInput(text);
    fitting.push({ index, text: isLarge ? await storeInput(payloads, runId, index, text) : text });
  }
  return fitting;
}

/** Throws if a line is not a JSON value, and does not stand for an input in an object. */
function checkLines(lines: string, items: readonly ChunkItem[]): void {
  for (const [at, line] of (items.length > 0 ? lines.split('\n') : []).entries()) {
    if (readPayloadItem(line)) continue;
    try {
      JSON.parse(line);
    } catch (cause) {
      throw new InputError(items[at]?.index ?? 0, `is not JSON: ${messageOf(cause)}`, { cause });
    }
  }
}

async function ownQueue(
  { task, first = 0, continues = first > 0, total, more = false }: PageRequest,
  runId: string,
  count: number,
  tags: Pick<
    RunTags,
    'expiresAt' | 'flow' | 'pauseWhenFailing' | 'costLimit' | 'output' | 'inputs'
  >,
  { sqs, names, bound }: SeedOptions,
): Promise<string> {
  const born = createdAt(runId);
  if (born === undefined) {
    throw new FanfoldError(
      'BadInput',
      `A run with its own result queue must have a run id like "${newRunId()}"; got "${runId}".`,
    );
  }
  const find = continues ? findExpectedQueue : findQueue;
  const found = await find(sqs, names.run(runId));
  const { output } = tags;
  if (found !== undefined) {
    if (!continues) await checkSameRun(sqs, found, { runId, task, output });
    return found;
  }
  if (continues || Date.now() - born > CREATE_WITHIN_MS) {
    throw new FanfoldError(
      'RunFailed',
      `Run ${runId} is over: its result queue ${names.run(runId)} no longer exists, and only the first page of a run younger than an hour creates one.`,
    );
  }
  const queueUrl = await createRunQueue(sqs, names, runId, {
    task,
    // If these are all inputs, the run is sealed now, so that its collector need not wait for that.
    state: more || count < (total ?? count) ? 'seeding' : 'sealed',
    ...tags,
    total: total ?? (more ? undefined : count),
    bound,
  });
  // Of requests at the same moment that name two places, the queue has the tags of one.
  if (output !== undefined) await checkSameRun(sqs, queueUrl, { runId, task, output, isNew: true });
  return queueUrl;
}

async function sharedQueue({ sqs, names }: SeedOptions): Promise<string> {
  const url = await findQueue(sqs, names.results);
  if (url !== undefined) return url;
  throw new FanfoldError(
    'RunFailed',
    `The deployment "${names.name}" has no result queue: expected ${names.results}.`,
  );
}
