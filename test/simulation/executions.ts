import type { Actor } from './actors.ts';

/** One execution of a task's function. */
export interface Execution {
  attempt: number;
  worker: Actor;
  /** Milliseconds that it takes if nothing kills it; endless where it hangs. */
  takesMs: number;
}

/** Every execution that began, by run and index. */
export class Executions {
  readonly #byInput = new Map<string, Execution[]>();

  add(runId: string, index: number, execution: Execution): void {
    const key = `${runId}/${index}`;
    const known = this.#byInput.get(key) ?? [];
    this.#byInput.set(key, known);
    known.push(execution);
  }

  of(runId: string, index: number): readonly Execution[] {
    return this.#byInput.get(`${runId}/${index}`) ?? [];
  }
}
