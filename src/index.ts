export { type ConnectOptions, connect, type Fanfold } from './connect.ts';
export { FanfoldError, type FanfoldErrorCode, InputError, NonRetryableError } from './errors.ts';
export type { Cancelled } from './pipeline/cancel.ts';
export { MAX_INPUT_BYTES } from './pipeline/chunk.ts';
export { Account, type Ledger } from './pipeline/ledger.ts';
export { type Inputs, JsonTexts } from './pipeline/pages.ts';
export type {
  CancelledResult,
  FailedResult,
  Failure,
  FailureCode,
  OkResult,
  Result,
  ResultLine,
} from './pipeline/result.ts';
export type { ResultBatch } from './pipeline/result-message.ts';
export type { Run } from './pipeline/run.ts';
export type { RunOptions } from './pipeline/run-options.ts';
export type { RunStatus } from './pipeline/status.ts';
export {
  type AnyTask,
  defineTask,
  type InputOf,
  type Json,
  type JsonImage,
  type OutputOf,
  type Task,
  type TaskContext,
  type TaskLog,
  type TaskOptions,
} from './task.ts';
