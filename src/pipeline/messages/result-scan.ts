import { MOST_NESTED, type Thrown } from '../../thrown.ts';
import { parsed } from './json-text.ts';
import { mayHavePayloads, readPayloadLine } from './payload.ts';
import { type Failure, isIndex } from './result.ts';

/** Indexes from the first to the last, both included. */
export type IndexRange = readonly [first: number, last: number];

const WHOLE = '(?:0|[1-9]\\d*)';

/** A result's line, as `okLine` and `failedLine` write it: its index, and its output or error. */
const LINE = new RegExp(
  `^\\{"index":(${WHOLE}),"status":(?:"ok","output":([^\\n]+)|"failed","error":([^\\n]+)),"ms":-?${WHOLE}(?:\\.\\d+)?(?:e[+-]?\\d+)?\\}$`,
);

/** Indexes and status of a text of results, without their contents. */
export interface Scanned {
  /** Their indexes, in the order of the lines. */
  ranges: IndexRange[];
  allOk: boolean;
}

/**
 * Checks a text that has one result per line, with `,` and a line feed between two of them. The
 * lines are written to the user's file as they are. So each must be one JSON object, with the index
 * and the status that are entered for it, and no key that could occur twice. Undefined if anything
 * else is found.
 */
export function scanResults(text: string): Scanned | undefined {
  const ranges: [first: number, last: number][] = [];
  let allOk = true;
  const hasPayloads = mayHavePayloads(text);
  for (const found of text.split(',\n')) {
    const line = hasPayloads ? withoutPayload(found) : found;
    const [, digits, output, error = ''] = LINE.exec(line) ?? [];
    const index = Number(digits);
    const isResult = output === undefined ? isFailure(parsed(error)) : parsed(output) !== undefined;
    if (!isIndex(index) || !isResult) return undefined;
    allOk &&= output !== undefined;
    const range = ranges.at(-1);
    if (range?.[1] === index - 1) range[1] = index;
    else ranges.push([index, index]);
  }
  return { ranges, allOk };
}

/** A line with an output in an object, as if the output were null; other lines as they are. */
function withoutPayload(line: string): string {
  const found = readPayloadLine(line);
  return found ? `${found.before}null${found.after}` : line;
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
