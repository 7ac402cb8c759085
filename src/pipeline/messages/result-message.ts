import { FanfoldError } from '../../errors.ts';
import { MESSAGE_VERSION, messageText } from './chunk.ts';
import type { ResultLine } from './result.ts';

/** Indexes from the first to the last, both included. */
export type IndexRange = readonly [first: number, last: number];

/**
 * Results that came together, in the order in which they came. Most are only counted and passed
 * on: so their texts stay one text, which is cut into lines for those who ask for them.
 */
export class ResultBatch {
  /** The results' indexes, where all of them are `ok`; undefined where one isn't. */
  readonly ok: readonly IndexRange[] | undefined;
  readonly count: number;
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

  /** @param text the texts of results that are all `ok`, a line each */
  static allOk(ok: readonly IndexRange[], text: string): ResultBatch {
    return new ResultBatch(ok, countOf(ok), text);
  }

  /** Batches that came one after the other, as one. */
  static join(batches: readonly ResultBatch[]): ResultBatch {
    const [only] = batches;
    if (only !== undefined && batches.length === 1) return only;
    if (!batches.every(({ ok }) => ok)) {
      return ResultBatch.ofLines(batches.flatMap(({ lines }) => lines));
    }
    const ok = batches.flatMap((batch) => batch.ok ?? []);
    return ResultBatch.allOk(ok, batches.map(({ text }) => text).join('\n'));
  }

  /** The results' texts, a line each; no line end after the last. */
  get text(): string {
    this.#text ??= (this.#lines ?? []).map(({ text }) => text).join('\n');
    return this.#text;
  }

  get lines(): readonly ResultLine[] {
    this.#lines ??= linesOf(this.#text ?? '') ?? [];
    return this.#lines;
  }
}

function countOf(ranges: readonly IndexRange[]): number {
  let count = 0;
  for (const [first, last] of ranges) count += last - first + 1;
  return count;
}

/** The results of one message while it is put together. */
export class ResultDraft {
  // Grown line by line: V8 copies the parts once, when the body is sent. Joining an array takes longer.
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
   * The message's body: JSON, laid out so that each result stands on a line of its own, and where
   * all are `ok`, their indexes stand before them. So a reader can enter a thousand results in
   * the ledger and pass them on without parsing one.
   */
  body(runId: string, worker: string): string {
    const ok = this.#allOk ? { ok: this.#ok } : {};
    const head = JSON.stringify({ v: MESSAGE_VERSION, runId, worker, ...ok });
    return `${head.slice(0, -1)},"results":[\n${this.#text}\n]}`;
  }
}

const RESULTS_BEGIN = ',"results":[\n';
const RESULTS_END = '}\n]}';
const LINE = /^\{"index":(\d+),"status":"(ok|failed)"/;

/** Reads a result message. @throws FanfoldError `BadMessage` when it isn't one, or of another version. */
export function readResults(body: string): ResultBatch {
  const end = body.indexOf('\n');
  const begin = end + 1 - RESULTS_BEGIN.length;
  const laidOut = begin > 0 && body.startsWith(RESULTS_BEGIN, begin) && body.endsWith(RESULTS_END);
  if (!laidOut) return readAnyResults(body);
  const head = parsed(`${body.slice(0, begin)},"results":[]}`);
  if (!isEnvelope(head)) return readAnyResults(body);
  // Who ran it is told once a message, and put into each result here, before its closing brace. A
  // line end stands between two results only: in JSON text, strings have theirs escaped.
  const closing = `,"worker":${JSON.stringify(head.worker)}}`;
  const open = body.slice(end + 1, -RESULTS_END.length);
  const text = open.replaceAll('},\n', `${closing.replaceAll('$', '$$$$')}\n`) + closing;
  if (head.ok !== undefined && countOf(head.ok) === closed(open, text, closing)) {
    return ResultBatch.allOk(head.ok, text);
  }
  const lines = linesOf(text);
  return lines ? ResultBatch.ofLines(lines) : readAnyResults(body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** How many results were closed: each by so much more than the `}` and `,` that it had. */
function closed(open: string, text: string, closing: string): number {
  return (text.length - open.length - closing.length) / (closing.length - 2) + 1;
}

/** The results of a text with one a line; undefined when it was laid out otherwise. */
function linesOf(text: string): ResultLine[] | undefined {
  const lines: ResultLine[] = [];
  for (const line of text.split('\n')) {
    const [, index, status] = LINE.exec(line) ?? [];
    if (index === undefined) return undefined;
    lines.push({ index: Number(index), status: status as 'ok' | 'failed', text: line });
  }
  return lines;
}

/** Reads a message that somebody else laid out. */
function readAnyResults(body: string): ResultBatch {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch (cause) {
    throw new FanfoldError('BadMessage', 'A result message was expected; this one is not JSON.', {
      cause,
    });
  }
  if (!isEnvelope(message)) {
    throw new FanfoldError(
      'BadMessage',
      `A result message of version ${MESSAGE_VERSION} was expected, with \`worker\` and \`results\`; this one has other fields.`,
    );
  }
  const { worker, results } = message;
  return ResultBatch.ofLines(
    results.map((result): ResultLine => {
      const { index, status, ...rest } = result as { index: number; status: 'ok' | 'failed' };
      if (!Number.isSafeInteger(index) || (status !== 'ok' && status !== 'failed')) {
        throw new FanfoldError(
          'BadMessage',
          `A result has an index and a status of "ok" or "failed"; this one has ${JSON.stringify({ index, status })}.`,
        );
      }
      const text = messageText(JSON.stringify({ index, status, ...rest, worker }));
      return { index, status, text };
    }),
  );
}

interface Envelope {
  worker: string;
  ok?: IndexRange[];
  results: unknown[];
}

function isEnvelope(message: unknown): message is Envelope {
  const { v, worker, ok, results } = (message ?? {}) as Record<string, unknown>;
  return (
    v === MESSAGE_VERSION &&
    typeof worker === 'string' &&
    Array.isArray(results) &&
    (ok === undefined || (Array.isArray(ok) && ok.every(isRange)))
  );
}

function isRange(range: unknown): boolean {
  return (
    Array.isArray(range) &&
    range.every(Number.isSafeInteger) &&
    range[0] >= 0 &&
    range[1] >= range[0]
  );
}
