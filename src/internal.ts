// Exports for the command line beyond the public API: inputs and results as JSON texts, checks of
// a run's status, locks, logs, and numbers in messages. They may change without notice.
export { capacityWarning } from './capacity.ts';
export { type FileLock, lockFile } from './emulator/file-lock.ts';
export { count } from './errors.ts';
export { knownAs, placesOf } from './option-homes.ts';
export { COMPRESSIONS, FORMATS } from './outputs/formats.ts';
export { costLimitOf } from './pipeline/messages/cost-limit.ts';
export { checkFailing } from './pipeline/messages/failing.ts';
export { FailureKinds } from './pipeline/messages/failure-kinds.ts';
export { checkBounds } from './pipeline/messages/flow.ts';
export { MAX_PAYLOAD_BYTES } from './pipeline/messages/payload.ts';
export { checkPriority } from './pipeline/messages/priority.ts';
export {
  FAILURE_CODES,
  failedLine,
  isFailureCode,
  type ResultLine,
} from './pipeline/messages/result.ts';
export type { ResultBatch } from './pipeline/messages/result-message.ts';
export { folderOf, OWN_BUCKET } from './pipeline/messages/results-place.ts';
export { createdAt } from './pipeline/names.ts';
export { isOver, refuseCollected } from './pipeline/run/status.ts';
export { InputsHash } from './pipeline/seeding/inputs-hash.ts';
export { JsonTexts } from './pipeline/seeding/pages.ts';
export { readAsIf } from './planning/as-if.ts';
export { moneyText } from './planning/money.ts';
export { priceTable } from './planning/price-table.ts';
export { duration } from './report/duration.ts';
export { reportHtml } from './report/html.ts';
export { planHtml } from './report/plan-html.ts';
export {
  type PackedReport,
  packed,
  type ReportData,
  type Sample,
  unpacked,
} from './report/report-data.ts';
export { Sketch } from './report/sketch.ts';
export { statisticsOf } from './report/statistics.ts';
export { Workers } from './report/workers.ts';
export { logsInsightsLink, readStackLogs } from './stack-logs.ts';
export { costSoFar } from './ui/cost-so-far.ts';
export { DeploymentRuns } from './ui/deployment-runs.ts';
export { limitOf } from './ui/limit.ts';
export type { LiveRuns } from './ui/live-runs.ts';
export { Polled } from './ui/polled.ts';
export type { InputDetail, Knobs, ListedRun, LiveRun, RunList } from './ui/protocol.ts';
export { serveUi } from './ui/serve-ui.ts';
export { reportOfKnown } from './ui/status-shown.ts';
