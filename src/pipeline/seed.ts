import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError, InputError, messageOf } from '../errors.ts';
import type { Json, TaskRegistry } from '../task.ts';
import { type ChunkItem, chunkBody, chunkItemsFor, cut, messageText } from './chunk.ts';
import { isJson } from './json-text.ts';
import { createdAt, type Names, newRunId } from './names.ts';
import { createRunQueue, findQueue } from './queues.ts';
import { sendAll } from './send.ts';

/** What the seed is asked for: one page of a run, which is often all of it. */
export interface SeedRequest {
  /** The task's name. */
  task: string;
  /**
   * The inputs: an array; or whole numbers from `from` to `to`, both included; or the text of JSON
   * lines, one input a line, which saves both sides from parsing what they only pass on.
   */
  inputs: Json[] | { from: number; to: number } | { lines: string };
  /** @default Lambda's request id, with its time */
  runId?: string;
  /** Index of the page's first input. @default 0 */
  first?: number;
  /** How many inputs the run has in all, where that is known. @default those of this page */
  total?: number;
  /** The most inputs in a chunk, 1 to 10000. @default by the number of inputs and their bytes */
  chunkItems?: number;
  /**
   * Where the results go: `own`, to a queue of the run's own, made by its first page; `shared`, to
   * the deployment's result queue, for whoever reads it.
   * @default 'shared'
   */
  results?: 'shared' | 'own';
}

/** What the seed answers. */
export interface SeedResponse {
  runId: string;
  task: string;
  first: number;
  /** Inputs seeded. */
  count: number;
  /** Task messages sent. */
  chunks: number;
  resultQueueUrl: string;
}

/** The seed's answer when it refuses: nothing was queued. */
export interface SeedRefusal {
  error: {
    code: string;
    message: string;
    /** The input that is at fault, counted from the run's first, and what is wrong with it. */
    index?: number;
    reason?: string;
  };
}

export interface SeedOptions {
  sqs: SQSClient;
  names: Names;
  tasks: TaskRegistry;
  taskQueueUrl: string;
  /** Used when the request names no run. */
  runId?: string;
}

/** How long a run's chunks are worked on, in milliseconds: what has no result by then is lost. */
const RUN_MS = 24 * 3_600_000;

/** A run id older than this is not given a queue again: it has been one's before. */
const CREATE_WITHIN_MS = 3_600_000;

/** How many workers a run is cut for that does not say how many there are. */
const WORKERS = 50;

/**
 * Cuts one page of inputs into chunks and sends them. The page is checked as a whole before
 * anything is queued.
 *
 * @throws FanfoldError when the request is refused
 */
export async function seed(request: SeedRequest, options: SeedOptions): Promise<SeedResponse> {
  const { task, first = 0, results = 'shared' } = request;
  const { concurrency } = options.tasks.require(task);
  const runId = request.runId ?? options.runId ?? newRunId();
  const items = itemsOf(request.inputs, first);
  const total = request.total ?? items.length;
  const chunkItems = request.chunkItems ?? chunkItemsFor(total, WORKERS, concurrency);
  const chunks = cut(items, chunkItems);
  const resultQueueUrl = await (results === 'own'
    ? ownQueue(request, runId, options)
    : sharedQueue(options));
  const expiresAt = (createdAt(runId) ?? Date.now()) + RUN_MS;
  const envelope = { runId, task, attempt: 1, expiresAt, resultQueueUrl };
  await sendAll(
    options.sqs,
    options.taskQueueUrl,
    chunks.map((chunk) => ({ body: chunkBody(envelope, chunk), groupId: runId })),
  );
  return { runId, task, first, count: items.length, chunks: chunks.length, resultQueueUrl };
}

function itemsOf(inputs: SeedRequest['inputs'], first: number): ChunkItem[] {
  if (Array.isArray(inputs)) {
    return inputs.map((input, at) => ({
      index: first + at,
      text: messageText(JSON.stringify(input)),
    }));
  }
  if ('from' in inputs) {
    return Array.from({ length: inputs.to - inputs.from + 1 }, (_, at) => ({
      index: first + at,
      text: String(inputs.from + at),
    }));
  }
  if (inputs.lines === '') return [];
  checkLines(inputs.lines, first);
  const texts = messageText(inputs.lines).split('\n');
  return texts.map((text, at) => ({ index: first + at, text }));
}

/** Refuses lines of which one is not a JSON value. */
function checkLines(lines: string, first: number): void {
  let index = first;
  for (let from = 0; from <= lines.length; index++) {
    const end = lines.indexOf('\n', from);
    const to = end < 0 ? lines.length : end;
    if (!isJson(lines, from, to)) throw notJson(index, lines.slice(from, to));
    from = to + 1;
  }
}

function notJson(index: number, text: string): InputError {
  try {
    JSON.parse(text);
  } catch (cause) {
    return new InputError(index, `is not JSON: ${messageOf(cause)}`, { cause });
  }
  throw new TypeError(`A text that JSON.parse takes was found not to be JSON: ${text}`);
}

async function ownQueue(
  { task, first = 0, total }: SeedRequest,
  runId: string,
  { sqs, names }: SeedOptions,
): Promise<string> {
  const born = createdAt(runId);
  if (born === undefined) {
    throw new FanfoldError(
      'BadInput',
      `A run with its own result queue has a run id like "${newRunId()}"; "${runId}" is not one.`,
    );
  }
  const found = first > 0 ? await findQueue(sqs, names.run(runId)) : undefined;
  if (found !== undefined) return found;
  if (first > 0 || Date.now() - born > CREATE_WITHIN_MS) {
    throw new FanfoldError(
      'RunFailed',
      `Run ${runId} is over: its result queue ${names.run(runId)} is gone, and only the first page of a run younger than an hour makes one.`,
    );
  }
  return createRunQueue(sqs, names.run(runId), {
    task,
    state: 'seeding',
    ...(total === undefined ? {} : { total: String(total) }),
  });
}

async function sharedQueue({ sqs, names }: SeedOptions): Promise<string> {
  const url = await findQueue(sqs, names.results);
  if (url !== undefined) return url;
  throw new FanfoldError(
    'RunFailed',
    `The deployment "${names.name}" has no result queue: ${names.results} was expected.`,
  );
}

/** Reads a seed request. @throws FanfoldError `BadInput` naming the field that is wrong */
export function readSeedRequest(event: unknown): SeedRequest {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw wrong('An object like {"task": "echo", "inputs": [1, 2, 3]} was expected', event);
  }
  const request = event as Record<string, unknown>;
  const known = ['task', 'inputs', 'runId', 'first', 'total', 'chunkItems', 'results'];
  const unknown = Object.keys(request).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw new FanfoldError(
      'BadInput',
      `A seed request has no field "${unknown}". Its fields: ${known.join(', ')}.`,
    );
  }
  const { task, inputs, runId, first, total, chunkItems, results } = request;
  if (typeof task !== 'string') throw wrong('`task` is the name of a task', task);
  if (runId !== undefined && (typeof runId !== 'string' || !/^[\w-]{1,80}$/.test(runId))) {
    throw wrong('`runId` is 1 to 80 letters, digits, "-" and "_"', runId);
  }
  if (!isCount(first ?? 0)) throw wrong('`first` is a whole number from 0', first);
  if (!isCount(total ?? 0)) throw wrong('`total` is a whole number from 0', total);
  if (!isCount(chunkItems ?? 1) || chunkItems === 0 || Number(chunkItems) > 10_000) {
    throw wrong('`chunkItems` is a whole number from 1 to 10000', chunkItems);
  }
  if (results !== undefined && results !== 'shared' && results !== 'own') {
    throw wrong('`results` is "shared" or "own"', results);
  }
  if (!isInputs(inputs)) {
    throw wrong(
      '`inputs` is an array, or {"from": A, "to": B} with at most 1000000 whole numbers, or {"lines": "..."} with JSON lines',
      inputs,
    );
  }
  return request as unknown as SeedRequest;
}

/** The most numbers that one page's range may make: they are held in memory while they are cut. */
const MAX_RANGE = 1_000_000;

function isInputs(inputs: unknown): inputs is SeedRequest['inputs'] {
  if (Array.isArray(inputs)) return true;
  const { from, to, lines } = (inputs ?? {}) as Record<string, unknown>;
  if (lines !== undefined) return typeof lines === 'string';
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return false;
  const count = Number(to) - Number(from) + 1;
  return count >= 0 && count <= MAX_RANGE;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function wrong(expected: string, came: unknown): FanfoldError {
  const text = JSON.stringify(came) ?? 'nothing';
  const short = text.length > 100 ? `${text.slice(0, 100)}...` : text;
  return new FanfoldError('BadInput', `${expected}; ${short} came.`);
}
