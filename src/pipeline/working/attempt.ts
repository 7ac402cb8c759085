import type { Json, TaskContext, TaskLog } from '../../task.ts';
import type { Chunk } from '../messages/chunk.ts';

/** Writes one line of a log. */
export type WriteLog = (level: keyof TaskLog, message: string, fields: object) => void;

/** A line of JSON on the console, which each world takes to where lines go. */
export const writeToConsole: WriteLog = (level, message, fields) =>
  console[level](JSON.stringify({ level, message, ...fields }));

/** One attempt at one input: what the function sees of it. */
export class Attempt implements TaskContext {
  readonly index: number;
  readonly input: Json;
  readonly startedAt = performance.now();
  readonly #chunk: Chunk;
  readonly #writeLog: WriteLog;
  #controller: AbortController | undefined;
  #aborted: unknown;

  constructor(chunk: Chunk, index: number, input: Json, writeLog: WriteLog) {
    this.#chunk = chunk;
    this.#writeLog = writeLog;
    this.index = index;
    this.input = input;
  }

  get runId(): string {
    return this.#chunk.runId;
  }

  get attempt(): number {
    return this.#chunk.attempt;
  }

  // Made when asked for: most functions never look.
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    return this.#controller.signal;
  }

  get log(): TaskLog {
    const { index } = this;
    const { runId, task, attempt } = this.#chunk;
    const about = { runId, index, task, attempt };
    const write = (level: keyof TaskLog) => (message: string, fields?: object) => {
      const more = fields instanceof Error ? { error: errorFields(fields) } : fields;
      // One input's lines are found by these, whatever the task's own fields are called.
      this.#writeLog(level, message, { ...about, ...more, ...about });
    };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    };
  }

  abort(reason: unknown): void {
    this.#aborted = reason;
    this.#controller?.abort(reason);
  }

  elapsed(): number {
    return performance.now() - this.startedAt;
  }
}

/** JSON shows nothing of an error. */
function errorFields({ name, message, stack }: Error): object {
  return { name, message, stack };
}
