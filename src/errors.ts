import { describeThrown, withCauses } from './thrown.ts';

/**
 * The kind of fault, stable across versions. The message is for people and may change.
 *
 * - `BadInput`: an input, or its source, is not what was expected.
 * - `BadOption`: an option or argument has a value that cannot be used.
 * - `BadTask`: a task's definition or a tasks module cannot be used.
 * - `BadMessage`: a message is not one of Fanfold's, or is of another version.
 * - `UnknownTask`: no task of that name is registered where it should run.
 * - `UnknownRun`: there is no such run: it has ended, or never existed.
 * - `NestedRun`: a task started a run where it runs itself, which could wait for itself forever.
 * - `TaskFailed`: `outputs()` met a result that is not `ok`.
 * - `RunFailed`: the run could not continue (access, network, a missing queue).
 * - `StoreInUse`: another process has opened the store in the folder.
 * - `DamagedStore`: the data of a store differs from what was written.
 * - `Closed`: the object was used after `close()`.
 */
export type FanfoldErrorCode =
  | 'BadInput'
  | 'BadOption'
  | 'BadTask'
  | 'BadMessage'
  | 'UnknownTask'
  | 'UnknownRun'
  | 'NestedRun'
  | 'TaskFailed'
  | 'RunFailed'
  | 'StoreInUse'
  | 'DamagedStore'
  | 'Closed';

/**
 * An error that Fanfold throws on purpose: a sentence, and a `code` to branch on.
 *
 * ```ts
 * if (error instanceof FanfoldError && error.code === 'UnknownRun') return undefined;
 * ```
 */
export class FanfoldError extends Error {
  override readonly name = 'FanfoldError';
  /** The kind of fault. */
  readonly code: FanfoldErrorCode;

  constructor(code: FanfoldErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const NON_RETRYABLE = Symbol.for('fanfold.nonRetryable');

/**
 * Throw it in a task when a retry is pointless: the input fails at once, despite `maxAttempts`.
 *
 * ```ts
 * if (response.status === 404) throw new NonRetryableError(`${url} does not exist`);
 * ```
 */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError';
  readonly [NON_RETRYABLE] = true;
}

/** Whether it is a `NonRetryableError`, of this or another installed copy of Fanfold. */
export function isNonRetryable(thrown: unknown): boolean {
  return safely(
    () => typeof thrown === 'object' && thrown !== null && NON_RETRYABLE in thrown,
    false,
  );
}

/**
 * The message of any thrown value, with its causes, such as `fetch failed: connect ECONNREFUSED
 * 127.0.0.1:80`. A sentence of Fanfold's own is complete as it is.
 */
export function messageOf(thrown: unknown): string {
  if (safely(() => thrown instanceof FanfoldError, false)) return (thrown as FanfoldError).message;
  return withCauses(describeThrown(thrown));
}

/** The name of any thrown value; its type, if it is not an error. */
export function nameOf(thrown: unknown): string {
  return describeThrown(thrown).name;
}

/** Reads from a thrown value, which may throw as soon as it is inspected. */
function safely<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

/** @throws FanfoldError `BadOption` unless an option is a whole number within its range */
export function checkWhole(option: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new FanfoldError(
    'BadOption',
    `\`${option}\` must be a whole number from ${least} to ${most}; got ${valueText(value)}.`,
  );
}

/** Most characters of a wrong value in a message. */
const SHOWN_LENGTH = 200;

/** A wrong value, as a message shows it after `got`. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'bigint') return `${value}n`;
  // JSON has no text for a symbol, and a wrong one for numbers such as NaN.
  if (typeof value !== 'string' && typeof value !== 'object') return String(value);
  const text = safely(() => JSON.stringify(value), undefined) ?? 'an object';
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}...` : text;
}

/** An input that cannot be accepted: not JSON, or too large. */
export class InputError extends FanfoldError {
  /** Its position in the run, from 0. */
  readonly index: number;
  /** The problem: the end of a sentence whose beginning names the input. */
  readonly reason: string;

  constructor(index: number, reason: string, options?: ErrorOptions) {
    super('BadInput', `Input ${index} ${reason}`, options);
    this.index = index;
    this.reason = reason;
  }
}

/** Formats a number with its noun, such as `1 input` or `2 inputs`. */
export function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
