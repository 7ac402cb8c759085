import { count, FanfoldError } from '../../errors.ts';
import {
  MESSAGE_LENGTH,
  NAME_LENGTH,
  shorten,
  type ThrownDetails,
  withCauses,
} from '../../thrown.ts';
import { MAX_MESSAGE_BYTES, messageText } from './chunk.ts';

/** Most inputs of a run: it bounds what a message can claim by what a ledger can hold. */
export const MAX_RUN_INPUTS = 1_000_000_000;

/** The error of a run with more than `MAX_RUN_INPUTS` inputs. */
export function tooManyInputs(): FanfoldError {
  return new FanfoldError(
    'BadInput',
    `A run can have at most ${MAX_RUN_INPUTS} inputs, and there are more: split them into several runs.`,
  );
}

/** Whether a value can be the index of an input. */
export function isIndex(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < MAX_RUN_INPUTS;
}

export const FAILURE_CODES = [
  'TaskFailed',
  'InvalidInput',
  'OutputNotJson',
  'OutputTooLarge',
  'TimedOut',
  'WorkerDied',
  'UnknownTask',
  'Lost',
  'NotStarted',
] as const;

/** Kind of an input's failure. The codes are Fanfold's; `name` and `message` are the user's. */
export type FailureCode = (typeof FAILURE_CODES)[number];

export function isFailureCode(text: string): text is FailureCode {
  return FAILURE_CODES.some((code) => code === text);
}

/** The last error of an input that ended `failed`. A thrown error may have causes and frames. */
export interface Failure extends ThrownDetails {
  code: FailureCode;
  name: string;
  message: string;
  /** The thrown error's own `code`, such as `ECONNREFUSED`. */
  errorCode?: string | number | undefined;
  /** Number of attempts that were made. */
  attempts: number;
  /** Place of an input that could not be read, such as `inputs.csv, line 3`. */
  place?: string;
  /** The beginning of its text. */
  text?: string;
}

/** The input's output, as JSON holds it. */
export interface OkResult<Output> {
  index: number;
  status: 'ok';
  output: Output;
  /** Duration of the task's function, in milliseconds. */
  ms: number;
  /** Name of the worker that ran it. */
  worker: string;
}

export interface FailedResult {
  index: number;
  status: 'failed';
  error: Failure;
  /** Duration of the last attempt, in milliseconds. */
  ms: number;
  worker: string;
}

export interface CancelledResult {
  index: number;
  status: 'cancelled';
}

/** Outcome of one input. */
export type Result<Output> = OkResult<Output> | FailedResult | CancelledResult;

/** A result in transit: the fields that deduplication and the ledger need, and its JSON text. */
export interface ResultLine {
  index: number;
  status: Result<unknown>['status'];
  text: string;
}

/** Bytes of a message for one result: the rest is the envelope, whose fields are all bounded. */
export const MAX_RESULT_BYTES = MAX_MESSAGE_BYTES - 1_024;

/** Text of an `ok` result. `output` is JSON text fit for a message. */
export function okLine(index: number, output: string, ms: number): string {
  return `{"index":${index},"status":"ok","output":${output},"ms":${round(ms)}}`;
}

/**
 * Text of a `failed` result. A user's message may have any length, and is cut if necessary.
 *
 * @param worker name of the reporter, if the message that carries the result does not have it
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

/** Rounds to the microsecond: smaller parts are noise, and cost bytes a million times. */
function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** The result of an input that was cancelled. */
export function cancelledLine(index: number): ResultLine {
  return { index, status: 'cancelled', text: `{"index":${index},"status":"cancelled"}` };
}

/** The error for an input that did not end `ok`, for callers that want outputs alone. */
export function notOk(result: FailedResult | CancelledResult): FanfoldError {
  const { index } = result;
  if (result.status === 'cancelled') {
    return new FanfoldError('TaskFailed', `Input ${index} was cancelled`);
  }
  const { code, name } = result.error;
  const sentence = `Input ${index} failed as ${code}: ${name}: ${withCauses(result.error)}`;
  return new FanfoldError('TaskFailed', sentence, { cause: result.error });
}

/** The error of `Run.all()`: inputs of the run did not end `ok`. */
export class FailedInputs extends FanfoldError {
  /** Their results, in input order. */
  readonly results: readonly (FailedResult | CancelledResult)[];

  constructor(results: readonly (FailedResult | CancelledResult)[], inputs: number) {
    const sorted = results.toSorted((a, b) => a.index - b.index);
    const [first] = sorted;
    const example = first ? ` ${notOk(first).message}` : '';
    super('TaskFailed', `${results.length} of ${count(inputs, 'input')} did not end ok.${example}`);
    this.results = sorted;
  }

  /** An error for each, as in an `AggregateError`. */
  get errors(): FanfoldError[] {
    return this.results.map(notOk);
  }
}
