import { FanfoldError } from './errors.ts';
import {
  type CallOptions,
  CHECKED,
  checkOptions,
  FLAG,
  isObject,
  type Kind,
  OBJECT,
  shown,
  TEXT,
} from './options.ts';
import type { RunOptions } from './pipeline/collecting/run-options.ts';
import { checkBounds } from './pipeline/messages/flow.ts';
import { RunLedger } from './pipeline/run/ledger.ts';
import type { CollectOptions } from './pipeline/runs/collect-run.ts';
import { isStored, type StoredOptions } from './pipeline/runs/stored-options.ts';
import { JsonTexts } from './pipeline/seeding/pages.ts';
import { S3Inputs } from './pipeline/seeding/s3-inputs.ts';
import { isTask } from './task.ts';

const RUN_KINDS: Record<keyof RunOptions, Kind> = {
  ordered: FLAG,
  concurrency: CHECKED,
  rate: CHECKED,
  hedge: FLAG,
  pauseWhenFailing: CHECKED,
  priority: CHECKED,
  signal: ['an AbortSignal', (value) => isObject(value) && 'aborted' in value],
  deadlineSeconds: CHECKED,
  maxFailures: CHECKED,
  maxCost: CHECKED,
  pauseAtCost: FLAG,
  earlier: ['a RunLedger', (value) => value instanceof RunLedger],
  collector: TEXT,
  resume: OBJECT,
  output: CHECKED,
};

const { ordered, signal, earlier, collector, resume, ...stored } = RUN_KINDS;
const STORED_KINDS: Record<keyof StoredOptions, Kind> = { ordered, signal, resume, ...stored };
const COLLECT_KINDS: Record<keyof CollectOptions, Kind> = { ordered, signal, earlier, collector };

const RUN_OPTIONS: CallOptions = { call: 'map()', kinds: RUN_KINDS };
const STORED_OPTIONS: CallOptions = { call: 'map() with `output`', kinds: STORED_KINDS };
export const COLLECT_OPTIONS: CallOptions = { call: 'collect()', kinds: COLLECT_KINDS };
export const PRUNE_OPTIONS: CallOptions = { call: 'prune()', kinds: { all: FLAG } };
export const STORED_RUN_OPTIONS: CallOptions = { call: 'stored()', kinds: { ordered: FLAG } };
export const PAUSE_OPTIONS: CallOptions = { call: 'pause()', kinds: {} };
export const CANCEL_OPTIONS: CallOptions = { call: 'cancel()', kinds: {} };

/** Checks the options of `map`: not all are for runs whose results are stored. */
export function checkRunOptions(options: RunOptions | StoredOptions): void {
  const stores = isObject(options) && isStored(options);
  checkOptions(stores ? STORED_OPTIONS : RUN_OPTIONS, options);
  checkBounds(options);
}

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

/** @throws FanfoldError `BadTask` for arguments of `map` in the order that p-map has */
export function checkOrder(task: unknown, inputs: unknown): void {
  if (!isIterable(task) || !(typeof inputs === 'function' || isTask(inputs))) return;
  throw new FanfoldError(
    'BadTask',
    'map() takes the task first and the inputs second: map(task, inputs); got them the other way round.',
  );
}

function isIterable(value: unknown): boolean {
  return isObject(value) && (Symbol.iterator in value || Symbol.asyncIterator in value);
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
  if (isIterable(inputs)) return;
  throw new FanfoldError(
    'BadInput',
    `Inputs must be an array, an iterable, an async iterable or a stream; got ${shown(inputs)}.`,
  );
}
