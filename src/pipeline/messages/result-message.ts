import { FanfoldError } from '../../errors.ts';
import { MESSAGE_VERSION, messageText } from './chunk.ts';
import { parsed } from './json-text.ts';
import { readOutputPayload } from './payload.ts';
import { isIndex, type ResultLine } from './result.ts';
import { type IndexRange, isFailure, scanResults } from './result-scan.ts';
import { readTiming, type Timing } from './timing.ts';
import type { UsedFields } from './used.ts';

export type { IndexRange } from './result-scan.ts';

/**
 * Results that arrived together, in order of arrival. Most are only counted and passed on, so their
 * texts stay one text, which is cut into lines on demand.
 */
export class ResultBatch {
  /** The results' indexes, if all of them are `ok`; otherwise undefined. */
  readonly ok: readonly IndexRange[] | undefined;
  readonly count: number;
  /** When the results of one message ended; undefined if that is not known. */
  timing: { worker: string; of: Timing } | undefined;
  #text: string | undefined;
  #lines: readonly ResultLine[] | undefined;

  private constructor(
    ok: readonly IndexRange[] | undefined,
    count: number,
    text?: string,
    lines?: readonly ResultLine[],
  ) {
    this.ok = ok;
    this.count = count;
    this.#text = text;
    this.#lines = lines;
  }

  static ofLines(lines: readonly ResultLine[]): ResultBatch {
    return new ResultBatch(undefined, lines.length, undefined, lines);
  }

  /** @param text the texts of results that are all `ok`, one per line */
  static allOk(ok: readonly IndexRange[], text: string): ResultBatch {
    return new ResultBatch(ok, countOf(ok), text);
  }

  /** Joins consecutive batches into one. */
  static join(batches: readonly ResultBatch[]): ResultBatch {
    const [only] = batches;
    if (only !== undefined && batches.length === 1) return only;
    if (!batches.every(({ ok }) => ok)) {
      return ResultBatch.ofLines(batches.flatMap(({ lines }) => lines));
    }
    const ok = batches.flatMap((batch) => batch.ok ?? []);
    return ResultBatch.allOk(ok, batches.map(({ text }) => text).join('\n'));
  }

  /** The results' texts, one per line; no line end after the last. */
  get text(): string {
    this.#text ??= (this.#lines ?? []).map(({ text }) => text).join('\n');
    return this.#text;
  }

  get lines(): readonly ResultLine[] {
    this.#lines ??= linesOf(this.#text ?? '');
    return this.#lines;
  }
}

function countOf(ranges: readonly IndexRange[]): number {
  let count = 0;
  for (const [first, last] of ranges) count += last - first + 1;
  return count;
}

/** The results of one message that is being put together. */
export class ResultDraft {
  // Appended line by line: V8 copies the parts once, when the body is sent. Joining an array is
  // slower.
  #text = '';
  readonly #ok: [first: number, last: number][] = [];
  #allOk = true;

  add(index: number, line: string, ok: boolean): void {
    this.#text += this.#text === '' ? line : `,\n${line}`;
    this.#allOk &&= ok;
    const range = this.#ok.at(-1);
    if (range?.[1] === index - 1) range[1] = index;
    else this.#ok.push([index, index]);
  }

  /**
   * The message's body: JSON with each result on a line of its own. So a reader can enter a
   * thousand results in the ledger and pass them on without parsing one. If all are `ok`, their
   * indexes come first, for collectors of earlier versions.
   */
  body(runId: string, worker: string, timing?: Timing, used?: UsedFields): string {
    const ok = this.#allOk ? { ok: this.#ok } : {};
    // A reader looks for `used` near the beginning.
    const head = JSON.stringify({ v: MESSAGE_VERSION, runId, worker, used, timing, ...ok });
    return `${head.slice(0, -1)},"results":[\n${this.#text}\n]}`;
  }
}

const RESULTS_BEGIN = ',"results":[\n';
const RESULTS_END = '\n]}';
const LINE = /^\{"index":(\d+),"status":"(ok|failed)"/;

/**
 * Longest name of a worker. It is in each of its results: a long one would make gigabytes of one
 * message.
 */
const MAX_WORKER_LENGTH = 1_000;

/**
 * Reads a message of a run's results. Anyone with permission to send to the run's queue can have
 * sent it. So each line of the returned batch is checked to be one JSON object, with the index and
 * status that it is entered with.
 *
 * @throws FanfoldError `BadMessage` when it is not such a message, or is of another version or run
 */
export function readResults(body: string, runId: string): ResultBatch {
  const from = body.indexOf('\n') + 1;
  const to = body.length - RESULTS_END.length;
  const begin = from - RESULTS_BEGIN.length;
  const isLaidOut =
    begin > 0 && from < to && body.startsWith(RESULTS_BEGIN, begin) && body.endsWith(RESULTS_END);
  if (!isLaidOut) return readAnyResults(body, runId);
  const head = parsed(`${body.slice(0, begin)},"results":[]}`);
  const scanned = isEnvelope(head, runId) ? scanResults(body.slice(from, to)) : undefined;
  if (!isEnvelope(head, runId) || scanned === undefined) return readAnyResults(body, runId);
  // A message names its worker once. The name is put into each result here, before its closing
  // brace. A line end stands between two results only.
  const closing = `,"worker":${JSON.stringify(head.worker)}}`;
  const open = body.slice(from, to - 1);
  const text = open.replaceAll('},\n', `${closing.replaceAll('$', '$$$$')}\n`) + closing;
  const batch = scanned.allOk
    ? ResultBatch.allOk(scanned.ranges, text)
    : ResultBatch.ofLines(linesOf(text));
  const timing = readTiming(head.timing, batch.count);
  if (timing) batch.timing = { worker: head.worker, of: timing };
  return batch;
}

/** The results of a text with one per line. */
function linesOf(text: string): ResultLine[] {
  return text.split('\n').map((line) => {
    const [, index, status] = LINE.exec(line) ?? [];
    return { index: Number(index), status: status as 'ok' | 'failed', text: line };
  });
}

/** Reads a message with any other layout. */
function readAnyResults(body: string, runId: string): ResultBatch {
  const message = parsed(body);
  if (message === undefined) {
    throw new FanfoldError(
      'BadMessage',
      'Expected a result message; got a message that is not JSON.',
    );
  }
  if (!isEnvelope(message, runId)) {
    throw new FanfoldError(
      'BadMessage',
      `Expected a result message of version ${MESSAGE_VERSION} and run ${runId}, with \`worker\` and \`results\`; got a message with other fields.`,
    );
  }
  const { worker, results } = message;
  return ResultBatch.ofLines(results.map((result) => lineOf(result, worker)));
}

function lineOf(result: unknown, worker: string): ResultLine {
  const { index, status, ...rest } = (result ?? {}) as Record<string, unknown>;
  const { output, error, ms } = rest;
  const payload = isIndex(index) ? readOutputPayload(index, rest.payload) : undefined;
  const isOk = status === 'ok' && (output !== undefined || payload !== undefined);
  const isFailed = status === 'failed' && isFailure(error);
  if (!isIndex(index) || !(isOk || isFailed) || typeof ms !== 'number') {
    throw new FanfoldError(
      'BadMessage',
      `Expected a result with \`index\`, \`ms\`, and either the \`status\` "ok" and an \`output\` or the \`status\` "failed" and an \`error\`; got other fields.`,
    );
  }
  try {
    const of = output === undefined && payload ? { index, status, payload } : { index, status };
    const text = messageText(JSON.stringify({ ...of, ...rest, ...of, worker }));
    return { index, status: isOk ? 'ok' : 'failed', text };
  } catch (cause) {
    // JSON.parse accepts any depth, and JSON.stringify does not.
    throw new FanfoldError('BadMessage', `The result of input ${index} is nested too deep.`, {
      cause,
    });
  }
}

interface Envelope {
  worker: string;
  results: unknown[];
  timing?: unknown;
}

function isEnvelope(message: unknown, runId: string): message is Envelope {
  const { v, worker, results, ...more } = (message ?? {}) as Record<string, unknown>;
  return (
    v === MESSAGE_VERSION &&
    more.runId === runId &&
    typeof worker === 'string' &&
    worker.length <= MAX_WORKER_LENGTH &&
    Array.isArray(results)
  );
}
