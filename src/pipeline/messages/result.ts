import { FanfoldError } from '../../errors.ts';
import {
  MESSAGE_LENGTH,
  NAME_LENGTH,
  shorten,
  type ThrownDetails,
  withCauses,
} from '../../thrown.ts';
import { MAX_MESSAGE_BYTES, messageText } from './chunk.ts';

/** A run has at most so many inputs: what a message says is bounded by what a ledger can hold. */
export const MAX_RUN_INPUTS = 1_000_000_000;

/** The error of a run with more than `MAX_RUN_INPUTS` inputs. */
export function tooManyInputs(): FanfoldError {
  return new FanfoldError(
    'BadInput',
    `A run has at most ${MAX_RUN_INPUTS} inputs, and there are more: cut them into several runs.`,
  );
}

/** Whether a value can be the index of an input. */
export function isIndex(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < MAX_RUN_INPUTS;
}

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

/** The last error of an input that ended `failed`. What a task throws may have causes and frames. */
export interface Failure extends ThrownDetails {
  code: FailureCode;
  name: string;
  message: string;
  /** The thrown error's own `code`, such as `ECONNREFUSED`. */
  errorCode?: string | number;
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

/**
 * A `failed` result's text. A message is the user's and of any length: it is cut where it must be.
 *
 * @param worker who reports it, where that does not stand on the message that carries it
 */
export function failedLine(index: number, error: Failure, ms: number, worker?: string): string {
  const cut = {
    ...error,
    name: shorten(error.name, NAME_LENGTH),
    message: shorten(error.message, MESSAGE_LENGTH),
  };
  const by = worker === undefined ? '' : `,"worker":${JSON.stringify(worker)}`;
  return `{"index":${index},"status":"failed","error":${messageText(JSON.stringify(cut))},"ms":${round(ms)}${by}}`;
}

/** To the microsecond: what lies below is noise, and costs bytes a million times. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The result of an input that was cancelled. */
export function cancelledLine(index: number): ResultLine {
  return { index, status: 'cancelled', text: `{"index":${index},"status":"cancelled"}` };
}

/** What is thrown for an input that did not end `ok`, by those who want outputs alone. */
export function notOk(result: FailedResult | CancelledResult): FanfoldError {
  const { index } = result;
  if (result.status === 'cancelled') {
    return new FanfoldError('TaskFailed', `Input ${index} was cancelled`);
  }
  const { code, name } = result.error;
  const sentence = `Input ${index} failed as ${code}: ${name}: ${withCauses(result.error)}`;
  return new FanfoldError('TaskFailed', sentence, { cause: result.error });
}
