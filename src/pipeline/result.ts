import { FanfoldError } from '../errors.ts';
import { MAX_MESSAGE_BYTES, MESSAGE_VERSION, messageText } from './chunk.ts';

/** Why an input failed. The codes are Fanfold's; `name` and `message` are the user's. */
export type FailureCode =
  | 'TaskFailed'
  | 'InvalidInput'
  | 'OutputNotJson'
  | 'OutputTooLarge'
  | 'TimedOut'
  | 'WorkerDied'
  | 'UnknownTask'
  | 'Lost';

/** The last error of an input that ended `failed`. */
export interface Failure {
  code: FailureCode;
  name: string;
  message: string;
  /** How often it was tried. */
  attempts: number;
}

/** The input's output, as JSON holds it. */
export interface OkResult<Output> {
  index: number;
  status: 'ok';
  output: Output;
  /** Milliseconds that the task's function took. */
  ms: number;
  /** Who ran it. */
  worker: string;
}

export interface FailedResult {
  index: number;
  status: 'failed';
  error: Failure;
  /** Milliseconds that the last attempt took. */
  ms: number;
  worker: string;
}

export interface CancelledResult {
  index: number;
  status: 'cancelled';
}

/** What became of one input. */
export type Result<Output> = OkResult<Output> | FailedResult | CancelledResult;

/** A result on its way: what dedup and the ledger need, and the rest as the JSON text it travels as. */
export interface ResultLine {
  index: number;
  status: Result<unknown>['status'];
  text: string;
}

/** What is left of a message for one result: the rest is the envelope, whose fields are all bounded. */
export const MAX_RESULT_BYTES = MAX_MESSAGE_BYTES - 1_024;

/** An `ok` result's text. `output` is JSON text fit for a message. */
export function okLine(index: number, output: string, ms: number): string {
  return `{"index":${index},"status":"ok","output":${output},"ms":${round(ms)}}`;
}

/** A `failed` result's text. A message is the user's and of any length: it is cut where it must be. */
export function failedLine(index: number, error: Failure, ms: number): string {
  const cut = {
    ...error,
    name: shorten(error.name, 200),
    message: shorten(error.message, 10_000),
  };
  return `{"index":${index},"status":"failed","error":${messageText(JSON.stringify(cut))},"ms":${round(ms)}}`;
}

function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)} ... (${text.length} characters)` : text;
}

/** To the microsecond: what lies below is noise, and costs bytes a million times. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** A result's text as its reader sees it: who ran it is told once a message, and put back here. */
function withWorker(text: string, worker: string): string {
  return `${text.slice(0, -1)},"worker":${worker}}`;
}

/** The result of an input that was cancelled. */
export function cancelledLine(index: number): ResultLine {
  return { index, status: 'cancelled', text: `{"index":${index},"status":"cancelled"}` };
}

/**
 * A result message's body: JSON, laid out so that each result stands on a line of its own. So
 * its reader can tell index and status from the line's beginning, and need not parse a million
 * outputs that it only passes on.
 */
export function resultBody(runId: string, worker: string, lines: readonly string[]): string {
  const head = JSON.stringify({ v: MESSAGE_VERSION, runId, worker });
  return `${head.slice(0, -1)},"results":[\n${lines.join(',\n')}\n]}`;
}

const LINE = /^\{"index":(\d+),"status":"(ok|failed)",/;

/** Reads a result message. @throws FanfoldError `BadMessage` when it isn't one, or of another version. */
export function readResults(body: string): ResultLine[] {
  const rows = body.split('\n');
  const head = readHead(rows);
  if (head === undefined) return readAnyResults(body);
  const worker = JSON.stringify(head.worker);
  const last = rows.length - 2;
  const results: ResultLine[] = [];
  for (let row = 1; row <= last; row++) {
    // The closing comma of all rows but the last.
    const line = rows[row] ?? '';
    const text = row < last ? line.slice(0, -1) : line;
    const match = LINE.exec(text);
    if (!match) return readAnyResults(body);
    results.push({
      index: Number(match[1]),
      status: match[2] as 'ok' | 'failed',
      text: withWorker(text, worker),
    });
  }
  return results;
}

/** The envelope of a message that is laid out in lines; undefined when it is laid out otherwise. */
function readHead(rows: readonly string[]): { worker: string } | undefined {
  const [first = ''] = rows;
  if (!first.endsWith(',"results":[') || rows.at(-1) !== ']}') return undefined;
  const head: unknown = JSON.parse(`${first}]}`);
  return isEnvelope(head) ? head : undefined;
}

/** Reads a message that somebody else laid out. */
function readAnyResults(body: string): ResultLine[] {
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
  return message.results.map((result) => {
    const { index, status, ...rest } = result as { index: number; status: 'ok' | 'failed' };
    if (!Number.isSafeInteger(index) || (status !== 'ok' && status !== 'failed')) {
      throw new FanfoldError(
        'BadMessage',
        `A result has an index and a status of "ok" or "failed"; this one has ${JSON.stringify({ index, status })}.`,
      );
    }
    return {
      index,
      status,
      text: withWorker(
        messageText(JSON.stringify({ index, status, ...rest })),
        JSON.stringify(message.worker),
      ),
    };
  });
}

function isEnvelope(message: unknown): message is { worker: string; results: unknown[] } {
  const { v, worker, results } = (message ?? {}) as Record<string, unknown>;
  return v === MESSAGE_VERSION && typeof worker === 'string' && Array.isArray(results);
}
