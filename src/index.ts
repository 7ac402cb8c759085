import './node-version.ts';

export { connect, diagnose, serve, work } from './calls.ts';
export type { ConnectOptions } from './connect.ts';
export type { DiagnoseOptions, Diagnosis } from './doctor/diagnose.ts';
export type { Finding, Level } from './doctor/finding.ts';
export {
  FanfoldError,
  type FanfoldErrorCode,
  InputError,
  messageOf,
  NonRetryableError,
} from './errors.ts';
export type { Fanfold } from './fanfold.ts';
export type { NoOptions } from './options.ts';
export type { Run } from './pipeline/collecting/run.ts';
export type { RunOptions } from './pipeline/collecting/run-options.ts';
export type { CostLimit, CostOptions } from './pipeline/messages/cost-limit.ts';
export type { RunOutcome } from './pipeline/messages/ended.ts';
export type { FailingText, Outage } from './pipeline/messages/failing.ts';
export type { FailureGroup } from './pipeline/messages/failure-kinds.ts';
export type { Bounds } from './pipeline/messages/flow.ts';
export type { Priority } from './pipeline/messages/priority.ts';
export type { RateText } from './pipeline/messages/rate.ts';
export {
  type CancelledResult,
  FailedInputs,
  type FailedResult,
  type Failure,
  type FailureCode,
  MAX_RUN_INPUTS,
  type OkResult,
  type Result,
} from './pipeline/messages/result.ts';
export type { RetryFailed, S3Results } from './pipeline/messages/results-place.ts';
export type { Backlog } from './pipeline/run/backlog.ts';
export type { EndedRun } from './pipeline/run/ended.ts';
export { type Ledger, RunLedger } from './pipeline/run/ledger.ts';
export type { RunSettings } from './pipeline/run/settings.ts';
export type { RunStatus } from './pipeline/run/status.ts';
export type { Cancelled } from './pipeline/runs/cancel.ts';
export type { CollectOptions, PruneOptions } from './pipeline/runs/collect-run.ts';
export type { Redriven } from './pipeline/runs/redrive.ts';
export type { KnownRun } from './pipeline/runs/statistics-of-run.ts';
export type { StoredOptions } from './pipeline/runs/stored-options.ts';
export type { StoredRun } from './pipeline/runs/stored-run.ts';
export type { Inputs } from './pipeline/seeding/pages.ts';
export { S3Inputs } from './pipeline/seeding/s3-inputs.ts';
export type { RunChanges, UnpauseOptions } from './pipeline/seeding/set-run.ts';
export type { KeptResults } from './pipeline/storing/kept-results.ts';
export type { Manifest } from './pipeline/storing/manifest.ts';
export type { Part } from './pipeline/storing/state.ts';
export type { LogLine } from './pipeline/working/log-line.ts';
export type { Counted, Plan, PlannedSample, PlanOptions } from './plan-options.ts';
export type { AsIfProps } from './planning/as-if.ts';
export type { Cost, CostItems } from './planning/cost.ts';
export type { Elsewhere } from './planning/elsewhere.ts';
export type { PlannedMoment } from './planning/here.ts';
export type { PlannedItems, PlannedOnAws } from './planning/on-aws.ts';
export type { Size } from './planning/other-sizes.ts';
export type { Limit, PlannedDeployment } from './planning/planned-run.ts';
export type { PriceCorrections } from './planning/price-table.ts';
export type { Range } from './planning/range.ts';
export type { Usage } from './planning/usage.ts';
export type { Point } from './report/series.ts';
export type { Statistics } from './report/statistics.ts';
export type { Span, WorkerDeath, WorkerStatistics } from './report/workers.ts';
export { RetryLater } from './retry-later.ts';
export type { PlannedStack } from './sampling/aws.ts';
export type { Served, ServeOptions } from './serve/serve.ts';
export {
  type AnyTask,
  defineTask,
  type InputOf,
  type Json,
  type JsonImage,
  type OutputOf,
  type SetupContext,
  type Task,
  type TaskContext,
  type TaskLog,
  type TaskOptions,
} from './task.ts';
export { type Thrown, type ThrownDetails, withCauses } from './thrown.ts';
export { VERSION } from './version.ts';
export type { SlowAttempt, Work, WorkOptions } from './work/work.ts';
