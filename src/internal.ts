// Exports for the command line beyond the public API: inputs and results as JSON texts, the refusal
// of a run that another process collects, and locks. They may change without notice.
export { type FileLock, lockFile } from './emulator/file-lock.ts';
export { MAX_INPUT_BYTES } from './pipeline/messages/chunk.ts';
export {
  FAILURE_CODES,
  failedLine,
  isFailureCode,
  type ResultLine,
} from './pipeline/messages/result.ts';
export type { ResultBatch } from './pipeline/messages/result-message.ts';
export { refuseCollected } from './pipeline/runs/collect-run.ts';
export { JsonTexts } from './pipeline/seeding/pages.ts';
