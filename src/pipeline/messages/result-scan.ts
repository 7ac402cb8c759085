import { MOST_NESTED, type Thrown } from '../../thrown.ts';
import { skipCompactJson, skipDigits, skipNumber, ZERO } from './json-text.ts';
import { type Failure, isIndex } from './result.ts';

/** Indexes from the first to the last, both included. */
export type IndexRange = readonly [first: number, last: number];

const INDEX = '{"index":';
const OK = ',"status":"ok","output":';
const FAILED = ',"status":"failed","error":';
const MS = ',"ms":';
const BETWEEN = ',\n';

/** Indexes and status of a text of results, without their contents. */
export interface Scanned {
  /** Their indexes, in the order of the lines. */
  ranges: IndexRange[];
  allOk: boolean;
}

/**
 * Checks a part of a text that has one result per line, as `okLine` and `failedLine` write them,
 * with `,` and a line feed between two of them. The lines are written to the user's file as they
 * are. So each must be one JSON object, with the index and the status that are entered for it, and
 * no key that could occur twice. Undefined if anything else is found.
 */
export function scanResults(text: string, from: number, to: number): Scanned | undefined {
  const ranges: [first: number, last: number][] = [];
  let allOk = true;
  for (let at = from; at >= 0; at = skip(text, at, BETWEEN)) {
    const digits = skip(text, at, INDEX);
    const afterIndex = skipDigits(text, digits, to);
    const index = indexAt(text, digits, afterIndex);
    if (index === undefined) return undefined;
    const output = skip(text, afterIndex, OK);
    const value = output < 0 ? skip(text, afterIndex, FAILED) : output;
    const afterValue = skipCompactJson(text, value, to);
    const ms = skip(text, afterValue, MS);
    at = skip(text, skipNumber(text, ms, to), '}');
    if (at < 0) return undefined;
    if (output < 0 && !isFailure(JSON.parse(text.slice(value, afterValue)))) return undefined;
    allOk &&= output >= 0;
    const range = ranges.at(-1);
    if (range?.[1] === index - 1) range[1] = index;
    else ranges.push([index, index]);
    if (at === to) return { ranges, allOk };
  }
  return undefined;
}

/** The position after a word; -1 if other text is there. */
function skip(text: string, from: number, word: string): number {
  for (let at = 0; at < word.length; at++) {
    if (text.charCodeAt(from + at) !== word.charCodeAt(at)) return -1;
  }
  return from + word.length;
}

/** @param to the position after its digits; -1 if there are none */
function indexAt(text: string, from: number, to: number): number | undefined {
  // JSON has no number with a leading zero.
  if (to < 0 || (to > from + 1 && text.charCodeAt(from) === ZERO)) return undefined;
  let index = 0;
  for (let at = from; at < to; at++) index = index * 10 + text.charCodeAt(at) - ZERO;
  return isIndex(index) ? index : undefined;
}

/** Whether a value is an error in the form of results, so that readers may rely on its texts. */
export function isFailure(value: unknown): value is Failure {
  return typeof (value as Partial<Failure> | null)?.code === 'string' && isThrown(value, 0);
}

/** Accepts unknown fields: they are a later version's. */
function isThrown(value: unknown, nested: number): value is Thrown {
  const { name, message, stack, cause, errors } = (value ?? {}) as Record<string, unknown>;
  const isInner = (inner: unknown) => nested < MOST_NESTED && isThrown(inner, nested + 1);
  return (
    typeof name === 'string' &&
    typeof message === 'string' &&
    (stack === undefined || typeof stack === 'string') &&
    (cause === undefined || isInner(cause)) &&
    (errors === undefined || (Array.isArray(errors) && errors.every(isInner)))
  );
}
