import type { TaskContext } from '../../src/task.ts';

/** A task's context, for direct calls of its function. */
export function taskContext(signal: AbortSignal = new AbortController().signal): TaskContext {
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  return { signal, runId: '20261123T165514123-k3f9x2ab', index: 0, attempt: 1, log };
}
