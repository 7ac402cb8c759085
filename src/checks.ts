import { FanfoldError } from './errors.ts';
import { nearest } from './nearest.ts';
import type { RunOptions } from './pipeline/collecting/run-options.ts';
import { RunLedger } from './pipeline/run/ledger.ts';
import { JsonTexts } from './pipeline/seeding/pages.ts';
import { S3Inputs } from './pipeline/seeding/s3-inputs.ts';
import { isTask } from './task.ts';

export type Kind = [what: string, fits: (value: unknown) => boolean];

export const TEXT: Kind = ['a text', (value) => typeof value === 'string'];
const FLAG: Kind = ['true or false', (value) => typeof value === 'boolean'];
export const FUNCTION: Kind = ['a function', (value) => typeof value === 'function'];
const OBJECT: Kind = ['an object', isObject];
/** For an option that is checked more closely where it is used. */
export const CHECKED: Kind = ['', () => true];

export const RUN_OPTIONS: Record<keyof RunOptions, Kind> = {
  ordered: FLAG,
  signal: ['an AbortSignal', (value) => isObject(value) && 'aborted' in value],
  deadlineSeconds: CHECKED,
  maxFailures: CHECKED,
  earlier: ['a RunLedger', (value) => value instanceof RunLedger],
  collector: TEXT,
  resume: OBJECT,
};

/**
 * Checks the options of a call, since not every caller has types.
 *
 * @throws FanfoldError `BadOption` for an unknown option, or one of another kind
 */
export function checkOptions(
  call: string,
  given: unknown,
  kinds: Readonly<Record<string, Kind>>,
): void {
  if (!isObject(given) || Array.isArray(given)) {
    throw new FanfoldError(
      'BadOption',
      `${call} takes options as an object; ${shown(given)} came.`,
    );
  }
  const names = Object.keys(kinds);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const near = nearest(name, names);
      throw new FanfoldError(
        'BadOption',
        `${call} has no option \`${name}\`.${near ? ` Did you mean \`${near}\`?` : ''} Its options are ${names.join(', ')}.`,
      );
    }
    const [what, fits] = kind;
    if (fits(value)) continue;
    throw new FanfoldError('BadOption', `\`${name}\` is ${what}; ${shown(value)} came.`);
  }
}

/** A task's name. @throws FanfoldError `BadTask` for a value that is neither a task nor a name */
export function nameOfTask(task: unknown): string {
  if (typeof task === 'string') return task;
  if (isTask(task)) return task.name;
  throw new FanfoldError(
    'BadTask',
    `A task is what defineTask() returns, or the name of one; ${shown(task)} came.`,
  );
}

/** @throws FanfoldError `BadInput` for a value that yields no inputs, or not the intended ones */
export function checkInputs(inputs: unknown): void {
  if (typeof inputs === 'string') {
    throw new FanfoldError(
      'BadInput',
      'Inputs are an array, an iterable, an async iterable or a stream; a text came, of which each character would be an input. For one input put it into an array; for a file read its lines.',
    );
  }
  if (inputs instanceof JsonTexts || inputs instanceof S3Inputs) return;
  const isIterable =
    isObject(inputs) && (Symbol.iterator in inputs || Symbol.asyncIterator in inputs);
  if (isIterable) return;
  throw new FanfoldError(
    'BadInput',
    `Inputs are an array, an iterable, an async iterable or a stream; ${shown(inputs)} came.`,
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A value as a sentence names it. */
function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function, which is not called';
  if (typeof value === 'string') return `the text ${JSON.stringify(value)}`;
  if (!isObject(value)) return String(value);
  if ('then' in value && typeof value.then === 'function')
    return 'a Promise, which is to be awaited,';
  return Array.isArray(value) ? 'an array' : 'an object';
}
