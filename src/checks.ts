import { FanfoldError } from './errors.ts';
import {
  type CallOptions,
  CHECKED,
  FLAG,
  isObject,
  type Kind,
  OBJECT,
  shown,
  TEXT,
} from './options.ts';
import type { RunOptions } from './pipeline/collecting/run-options.ts';
import { RunLedger } from './pipeline/run/ledger.ts';
import { JsonTexts } from './pipeline/seeding/pages.ts';
import { S3Inputs } from './pipeline/seeding/s3-inputs.ts';
import { isTask } from './task.ts';

const RUN_KINDS: Record<keyof RunOptions, Kind> = {
  ordered: FLAG,
  signal: ['an AbortSignal', (value) => isObject(value) && 'aborted' in value],
  deadlineSeconds: CHECKED,
  maxFailures: CHECKED,
  earlier: ['a RunLedger', (value) => value instanceof RunLedger],
  collector: TEXT,
  resume: OBJECT,
};

const AT_ONCE = '`workers` of connect(), or `concurrency` of defineTask()';
const ATTEMPTS = '`maxAttempts` of defineTask()';

export const RUN_OPTIONS: CallOptions = {
  call: 'map()',
  kinds: RUN_KINDS,
  instead: {
    concurrency: AT_ONCE,
    workers: '`workers` of connect()',
    maxAttempts: ATTEMPTS,
    retries: ATTEMPTS,
    retry: ATTEMPTS,
    attempts: ATTEMPTS,
    timeout: '`timeoutSeconds` of defineTask()',
    timeoutSeconds: '`timeoutSeconds` of defineTask()',
    stopOnError: '`maxFailures`',
    abortSignal: '`signal`',
    deadline: '`deadlineSeconds`',
  },
};

/** A task's name. @throws FanfoldError `BadTask` for a value that is neither a task nor a name */
export function nameOfTask(task: unknown): string {
  if (typeof task === 'string') return task;
  if (isTask(task)) return task.name;
  if (typeof task === 'function') {
    const name = task.name || 'mine';
    throw new FanfoldError(
      'BadTask',
      `A function runs only in the process that maps it, by map() of \`await connect()\`. For other processes, a server or a stack, make it a task of a tasks module and give its name: export const ${name} = defineTask({ name: '${name}', run: ... }).`,
    );
  }
  throw new FanfoldError(
    'BadTask',
    `A task must be a value returned by defineTask(), or the name of a task; got ${shown(task)}.`,
  );
}

/** @throws FanfoldError `BadInput` for a value that yields no inputs, or not the intended ones */
export function checkInputs(inputs: unknown): void {
  if (typeof inputs === 'string') {
    throw new FanfoldError(
      'BadInput',
      'Inputs must be an array, an iterable, an async iterable or a stream; got a string, whose characters would each be an input. To map one string, put it into an array. To map a file, read its lines.',
    );
  }
  if (inputs instanceof JsonTexts || inputs instanceof S3Inputs) return;
  const isIterable =
    isObject(inputs) && (Symbol.iterator in inputs || Symbol.asyncIterator in inputs);
  if (isIterable) return;
  throw new FanfoldError(
    'BadInput',
    `Inputs must be an array, an iterable, an async iterable or a stream; got ${shown(inputs)}.`,
  );
}
