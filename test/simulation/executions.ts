import type { Actor } from './actors.ts';

/** One execution of a task's function. */
export interface Execution {
  index: number;
  attempt: number;
  worker: Actor;
  /** Start, in milliseconds since 1970. */
  at: number;
  /** Milliseconds that it takes if nothing kills it; endless where it hangs. */
  takesMs: number;
}

/** The end of an execution: its own, its timeout's, or its worker's. */
export function endOf({ at, takesMs, worker }: Execution, timeoutMs: number): number {
  const { diedAt = Number.POSITIVE_INFINITY, stoppedAt = Number.POSITIVE_INFINITY } = worker;
  return Math.min(at + takesMs, at + timeoutMs, diedAt, stoppedAt);
}

/** Every execution that began, by run and index. */
export class Executions {
  readonly #byInput = new Map<string, Execution[]>();
  readonly #byRun = new Map<string, Execution[]>();

  add(runId: string, execution: Execution): void {
    put(this.#byInput, `${runId}/${execution.index}`, execution);
    put(this.#byRun, runId, execution);
  }

  of(runId: string, index: number): readonly Execution[] {
    return this.#byInput.get(`${runId}/${index}`) ?? [];
  }

  /** Those of a run, by their start. */
  ofRun(runId: string): readonly Execution[] {
    return this.#byRun.get(runId) ?? [];
  }
}

function put(lists: Map<string, Execution[]>, key: string, execution: Execution): void {
  const known = lists.get(key) ?? [];
  lists.set(key, known);
  known.push(execution);
}
