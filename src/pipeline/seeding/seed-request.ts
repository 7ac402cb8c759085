import { FanfoldError } from '../../errors.ts';
import type { Json } from '../../task.ts';
import type { IndexRange } from '../messages/result-message.ts';

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
  /**
   * Indexes of the page's inputs, where they don't just follow on `first`: ranges in order, first
   * and last both included.
   */
  indexes?: IndexRange[];
  /** Whether an earlier page made the run's queue. @default whether `first` is over 0 */
  continues?: boolean;
  /** When the run ends, in milliseconds since 1970, at most 13 days after its id's time. @default a day after it */
  expiresAt?: number;
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

const FIELDS = [
  'task',
  'inputs',
  'runId',
  'first',
  'indexes',
  'continues',
  'expiresAt',
  'total',
  'chunkItems',
  'results',
];

/** Reads a seed request. @throws FanfoldError `BadInput` naming the field that is wrong */
export function readSeedRequest(event: unknown): SeedRequest {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw wrong('An object like {"task": "echo", "inputs": [1, 2, 3]} was expected', event);
  }
  const request = event as Record<string, unknown>;
  const unknown = Object.keys(request).find((key) => !FIELDS.includes(key));
  if (unknown !== undefined) {
    throw new FanfoldError(
      'BadInput',
      `A seed request has no field "${unknown}". Its fields: ${FIELDS.join(', ')}.`,
    );
  }
  const { task, inputs, runId, first, total, chunkItems, results } = request;
  const { indexes, continues, expiresAt } = request;
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
  if (continues !== undefined && typeof continues !== 'boolean') {
    throw wrong('`continues` is true or false', continues);
  }
  if (!isCount(expiresAt ?? 0)) {
    throw wrong('`expiresAt` is a time in milliseconds since 1970', expiresAt);
  }
  if (indexes !== undefined && !areRanges(indexes)) {
    throw wrong('`indexes` are ranges [first, last] of whole numbers in order', indexes);
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
  return new FanfoldError('BadInput', `${expected}; ${short} came.`);
}
