import { describeThrown, withCauses } from './thrown.ts';

/**
 * What kind of fault it was, stable over versions. The message is for people and may change.
 *
 * - `BadInput`: an input, or the place it was to come from, is not what was expected.
 * - `BadOption`: an option or argument has a value that cannot be used.
 * - `BadTask`: a task's definition or a tasks module cannot be used.
 * - `BadMessage`: a message is not one of Fanfold's, or of another version.
 * - `UnknownTask`: no task of that name is registered where it was to run.
 * - `UnknownRun`: there is no such run: it has ended, or was never there.
 * - `NestedRun`: a task started a run where it runs itself, which could wait for itself for ever.
 * - `TaskFailed`: `outputs()` met a result that is not `ok`.
 * - `RunFailed`: the run could not go on (access, network, a queue that is gone).
 * - `StoreInUse`: another process has the folder's store open.
 * - `DamagedStore`: what a store has kept is not there as it was written.
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

/** Every error that Fanfold throws on purpose: a sentence, and a `code` to branch on. */
export class FanfoldError extends Error {
  override readonly name = 'FanfoldError';
  readonly code: FanfoldErrorCode;

  constructor(code: FanfoldErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const NON_RETRYABLE = Symbol.for('fanfold.nonRetryable');

/** Throw it in a task when trying again is no use: the input fails at once, whatever `maxAttempts` says. */
export class NonRetryableError extends Error {
  override readonly name: string = 'NonRetryableError';
  readonly [NON_RETRYABLE] = true;
}

/** Whether it is a `NonRetryableError`, this copy's or another installed one's. */
export function isNonRetryable(thrown: unknown): boolean {
  return told(
    () => typeof thrown === 'object' && thrown !== null && NON_RETRYABLE in thrown,
    false,
  );
}

/**
 * What whatever was thrown says, with its causes, such as `fetch failed: connect ECONNREFUSED
 * 127.0.0.1:80`. A sentence of Fanfold's own is whole as it is.
 */
export function messageOf(thrown: unknown): string {
  if (told(() => thrown instanceof FanfoldError, false)) return (thrown as FanfoldError).message;
  return withCauses(describeThrown(thrown));
}

/** The name of whatever was thrown; of what is no error, its type. */
export function nameOf(thrown: unknown): string {
  return describeThrown(thrown).name;
}

/** What a thrown value says of itself: it may throw as soon as it is looked at. */
function told<T>(ask: () => T, otherwise: T): T {
  try {
    return ask();
  } catch {
    return otherwise;
  }
}

/** An input that cannot be taken: not JSON, or too large. */
export class InputError extends FanfoldError {
  /** Its place in the run, from 0. */
  readonly index: number;
  /** What is wrong with it: the end of a sentence whose beginning says which input it is. */
  readonly reason: string;

  constructor(index: number, reason: string, options?: ErrorOptions) {
    super('BadInput', `Input ${index} ${reason}`, options);
    this.index = index;
    this.reason = reason;
  }
}
