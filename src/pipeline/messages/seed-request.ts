import { FanfoldError, messageOf } from '../../errors.ts';
import type { Format } from '../../inputs/extensions.ts';
import { FORMATS } from '../../inputs/formats.ts';
import type { Position } from '../../inputs/source.ts';
import { COMPRESSIONS, FORMATS as OUTPUT_FORMATS } from '../../outputs/formats.ts';
import type { Json } from '../../task.ts';
import { type CostOptions, costLimitOf } from './cost-limit.ts';
import { checkFailing, type FailingText } from './failing.ts';
import { type Bounds, checkBounds } from './flow.ts';
import { checkMaxFailures } from './max-failures.ts';
import { checkPriority, type Priority } from './priority.ts';
import { isFailureCode, MAX_RUN_INPUTS } from './result.ts';
import type { IndexRange } from './result-message.ts';
import type { Continuing, S3Results } from './results-place.ts';

/** A request to the seed: one page of a run, which is often all of it; or a run from S3. */
export type SeedRequest = PageRequest | ObjectRequest;

/** Destination of a run's results. */
export type ResultsOf = 'shared' | 'own' | 's3' | (S3Results & Continuing);

/** Whether a run has a result queue of its own: a reader, or the collector function, receives it. */
export function hasOwnQueue(results: ResultsOf | undefined): boolean {
  return results !== undefined && results !== 'shared';
}

/** Whether the deployment's collector function stores the results in S3. */
function isStored(results: unknown): boolean {
  return results === 's3' || typeof results === 'object';
}

interface OfRun extends Bounds, CostOptions {
  /** The task's name. */
  task: string;
  /** @default Lambda's request id, with its time */
  runId?: string | undefined;
  /** Index of the page's first input; with `indexes`, number of inputs before it. @default 0 */
  first?: number | undefined;
  /**
   * Indexes of the page's inputs, if they don't simply follow `first`: ranges in order, with both
   * ends included.
   */
  indexes?: IndexRange[] | undefined;
  /** Whether an earlier page made the run's queue. @default whether `first` is over 0 */
  continues?: boolean | undefined;
  /**
   * Deadline of the run, in milliseconds since 1970, at most 13 days after its id's time.
   * @default a day after it
   */
  expiresAt?: number | undefined;
  /** Total number of inputs of the run, if known. @default those of this page */
  total?: number | undefined;
  /**
   * Approximate number of inputs, which decides how they are cut.
   * @default `total`, else those of this page
   */
  about?: number | undefined;
  /** Whether further pages may follow, in a run of unknown size. @default false */
  more?: boolean | undefined;
  /**
   * Most inputs in a chunk, 1 to 10000.
   * @default by the number of inputs, their bytes, and the workers
   */
  chunkItems?: number | undefined;
  /**
   * Destination of the results: `own`, a queue of the run's own, made by its first page; `shared`,
   * the deployment's result queue, for any reader; `s3`, or a place in S3, where the deployment's
   * collector function stores them.
   * @default 'shared'
   */
  results?: ResultsOf | undefined;
  /**
   * Number of inputs that may end `failed`, or their share (`'5%'`), when results are stored in S3:
   * one more failure cancels the run.
   * @default any number
   */
  maxFailures?: number | `${number}%` | undefined;
  /**
   * Whether inputs that take long at the run's end are run a second time, elsewhere. Its collector
   * says when, so `results` must be `own` or in S3; and the task must be `idempotent`.
   * @default false
   */
  hedge?: boolean | undefined;
  /**
   * Share of inputs that must fail within a time for the run to pause itself, such as `50%/1m`. Its
   * collector decides that, so `results` must be `own` or in S3.
   * @default it never does
   */
  pauseWhenFailing?: FailingText | undefined;
  /** Priority between the runs of the deployment. @default 'normal' */
  priority?: Priority | undefined;
}

/** Inputs that the seed reads from an object in S3. */
export interface ObjectInputs {
  /** `s3://bucket/key`. */
  s3: string;
  /** @default by the key's extension */
  format?: Format | undefined;
  /** Position at which an earlier invocation stopped. Only the seed itself sets it. */
  from?: Continuation | undefined;
}

/** Progress of the earlier invocations, which is all that they pass on. */
export interface Continuation extends Position {
  etag: string;
  /** Number of earlier invocations. */
  hops: number;
  /** Number of chunks that they sent. */
  chunks: number;
}

/** A request that contains its inputs. */
export interface PageRequest extends OfRun {
  /**
   * The inputs: an array; or whole numbers from `from` to `to`, both included; or the text of JSON
   * lines, one input per line, which saves both sides from parsing values that they only pass on.
   */
  inputs: Json[] | { from: number; to: number } | { lines: string };
}

/** A request with its inputs in S3. */
export interface ObjectRequest extends OfRun {
  inputs: ObjectInputs;
}

export function isObjectRequest(request: SeedRequest): request is ObjectRequest {
  return 's3' in request.inputs;
}

const FIELDS = [
  'task',
  'inputs',
  'runId',
  'first',
  'indexes',
  'continues',
  'expiresAt',
  'total',
  'about',
  'more',
  'chunkItems',
  'results',
  'concurrency',
  'rate',
  'hedge',
  'pauseWhenFailing',
  'priority',
  'maxFailures',
  'maxCost',
  'pauseAtCost',
];

/** Reads a seed request. @throws FanfoldError `BadInput` naming the field that is wrong */
export function readSeedRequest(event: unknown): SeedRequest {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw wrong(
      'A seed request must be an object like {"task": "echo", "inputs": [1, 2, 3]}',
      event,
    );
  }
  const request = event as Record<string, unknown>;
  const unknown = Object.keys(request).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    throw new FanfoldError(
      'BadInput',
      `A seed request has no field "${unknown}". Known fields: ${FIELDS.join(', ')}.`,
    );
  }
  const { task, inputs, runId, first, total, chunkItems, results } = request;
  const { indexes, continues, expiresAt, about, more, hedge } = request;
  if (typeof task !== 'string') throw wrong('`task` must be the name of a task', task);
  const empty = FIELDS.find((name) => name !== 'inputs' && request[name] === null);
  if (empty !== undefined) throw wrong(`\`${empty}\` must have a value, or be left out`, null);
  if (runId !== undefined && (typeof runId !== 'string' || !/^[\w-]{1,80}$/.test(runId))) {
    throw wrong('`runId` must be 1 to 80 letters, digits, "-" and "_"', runId);
  }
  for (const [name, count] of Object.entries({ first, total, about })) {
    if (!isCount(count ?? 0)) throw wrong(`\`${name}\` must be a whole number from 0`, count);
  }
  for (const [name, count] of Object.entries({ first, total })) {
    if (Number(count) > MAX_RUN_INPUTS) {
      throw wrong(
        `\`${name}\` must be at most ${MAX_RUN_INPUTS}, the largest number of inputs in a run`,
        count,
      );
    }
  }
  if (!isCount(chunkItems ?? 1) || chunkItems === 0 || Number(chunkItems) > 10_000) {
    throw wrong('`chunkItems` must be a whole number from 1 to 10000', chunkItems);
  }
  checkResults(results);
  try {
    checkBounds(request as Bounds);
    checkPriority(request.priority);
    checkFailing(request.pauseWhenFailing);
    checkMaxFailures(request.maxFailures);
    costLimitOf(request);
  } catch (error) {
    throw new FanfoldError('BadInput', messageOf(error));
  }
  for (const [name, value] of Object.entries({ hedge, more, continues })) {
    if (value !== undefined && typeof value !== 'boolean') {
      throw wrong(`\`${name}\` must be true or false`, value);
    }
  }
  const collected = ['pauseWhenFailing', 'maxCost'].find((name) => request[name] !== undefined);
  if (collected !== undefined && !hasOwnQueue(results as ResultsOf | undefined)) {
    throw wrong(
      `\`${collected}\` needs a collector, and so a request with the \`results\` "own", or stored in S3`,
      results ?? 'shared',
    );
  }
  if (request.maxFailures !== undefined && !isStored(results)) {
    throw wrong(
      '`maxFailures` needs `results` that are stored in S3; a collector elsewhere has a budget of its own, such as `fanfold run --max-failures`',
      results ?? 'shared',
    );
  }
  if (!isCount(expiresAt ?? 0)) {
    throw wrong('`expiresAt` must be a time in milliseconds since 1970', expiresAt);
  }
  if (indexes !== undefined && !areRanges(indexes)) {
    throw wrong('`indexes` must be ranges [first, last] of whole numbers in order', indexes);
  }
  if (isUnknownObject(inputs)) {
    throw wrong(
      `\`inputs\` from S3 must be like {"s3": "s3://bucket/key", "format": "jsonl"}, with a format of ${FORMATS.join(', ')} (default: by the key's extension)`,
      inputs,
    );
  }
  if (!isInputs(inputs)) {
    throw wrong(
      '`inputs` must be an array, or {"from": A, "to": B} with at most 1000000 whole numbers, or {"lines": "..."} with JSON lines, or {"s3": "s3://bucket/key"}',
      inputs,
    );
  }
  return request as unknown as SeedRequest;
}

/** @throws FanfoldError `BadInput` */
function checkResults(results: unknown): void {
  if (results === undefined || ['shared', 'own', 's3'].includes(results as string)) return;
  const given = Object(results) as Record<string, unknown>;
  const { s3, format, compression, ordered, continues, retryFailed, ...more } = given;
  const isKnown =
    typeof s3 === 'string' &&
    (format === undefined || OUTPUT_FORMATS.some((one) => one === format)) &&
    (compression === undefined || COMPRESSIONS.some((one) => one === compression)) &&
    (ordered === undefined || typeof ordered === 'boolean') &&
    (continues === undefined || typeof continues === 'string') &&
    isRetryFailed(retryFailed, continues) &&
    Object.keys(more).length === 0;
  if (isKnown) return;
  throw wrong(
    `\`results\` must be "shared", "own" or "s3", or like {"s3": "s3://bucket/prefix/", "format": "jsonl", "compression": "gzip", "ordered": true}, with a format of ${OUTPUT_FORMATS.join(', ')} and a compression of ${COMPRESSIONS.join(', ')}. To continue a run: "continues": "s3://bucket/prefix/RUN/", and "retryFailed": true or a list of codes`,
    results,
  );
}

function isRetryFailed(value: unknown, continues: unknown): boolean {
  if (value === undefined) return true;
  const isList = Array.isArray(value) && value.every((code) => isFailureCode(String(code)));
  return continues !== undefined && (value === true || isList);
}

/** Most numbers in one page's range: they are held in memory while they are cut. */
const MAX_RANGE = 1_000_000;

function isInputs(inputs: unknown): inputs is SeedRequest['inputs'] {
  if (Array.isArray(inputs)) return true;
  const { from, to, lines, s3 } = (inputs ?? {}) as Record<string, unknown>;
  if (s3 !== undefined) return true;
  if (lines !== undefined) return typeof lines === 'string';
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return false;
  const count = Number(to) - Number(from) + 1;
  return count >= 0 && count <= MAX_RANGE;
}

/** Whether it names an object in S3, but not in the expected form. */
function isUnknownObject(inputs: unknown): boolean {
  if (typeof inputs !== 'object' || inputs === null || !('s3' in inputs)) return false;
  const { s3, format, from, ...more } = inputs as Record<string, unknown>;
  const known = format === undefined || FORMATS.some((one) => one === format);
  const isObject = typeof s3 === 'string' && /^s3:\/\/[^/]+\/./.test(s3);
  return !isObject || !known || !isContinuation(from) || Object.keys(more).length > 0;
}

/** Whether it is undefined, or a continuation that the seed has sent to itself. */
function isContinuation(from: unknown): boolean {
  if (from === undefined) return true;
  const { byte, line, etag, hops, chunks, keys = [] } = (from ?? {}) as Record<string, unknown>;
  const isHeader = Array.isArray(keys) && keys.every((key) => typeof key === 'string');
  return [byte, line, hops, chunks].every(isCount) && typeof etag === 'string' && isHeader;
}

function areRanges(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  let end = -1;
  let count = 0;
  for (const range of value) {
    const [first, last] = Array.isArray(range) && range.length === 2 ? range : [];
    if (!isCount(first) || !isCount(last) || first <= end || last < first) return false;
    end = last;
    count += last - first + 1;
  }
  return count <= MAX_RANGE;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function wrong(expected: string, came: unknown): FanfoldError {
  const text = JSON.stringify(came) ?? 'nothing';
  const short = text.length > 100 ? `${text.slice(0, 100)}...` : text;
  return new FanfoldError('BadInput', `${expected}; got ${short}.`);
}
