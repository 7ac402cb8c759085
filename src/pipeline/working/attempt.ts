import { AsyncLocalStorage } from 'node:async_hooks';
import type { Json, TaskContext, TaskLog } from '../../task.ts';
import { describeThrown } from '../../thrown.ts';
import type { Chunk, ReceivedItem } from '../messages/chunk.ts';
import type { WriteLog } from './log-line.ts';

/** One attempt at one input, as the task's function sees it. */
export class Attempt implements TaskContext {
  readonly item: ReceivedItem;
  readonly startedAt = performance.now();
  readonly #chunk: Chunk;
  readonly #writeLog: WriteLog;
  #input: Json;
  #controller: AbortController | undefined;
  #aborted: unknown;
  /** Number of lines that it has logged. */
  #lines = 0;

  constructor(chunk: Chunk, item: ReceivedItem, writeLog: WriteLog) {
    this.#chunk = chunk;
    this.#writeLog = writeLog;
    this.item = item;
    this.#input = item.value;
  }

  /** Whether it is an attempt at one of this chunk's items. */
  isOf(chunk: Chunk): boolean {
    return this.#chunk === chunk;
  }

  get input(): Json {
    return this.#input;
  }

  /** Sets the input, which the item does not have. */
  use(input: Json): void {
    this.#input = input;
  }

  get index(): number {
    return this.item.index;
  }

  get task(): string {
    return this.#chunk.task;
  }

  get runId(): string {
    return this.#chunk.runId;
  }

  get attempt(): number {
    return this.#chunk.attempt;
  }

  // Made on demand: most functions never use it.
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
      const more = fields instanceof Error ? { error: describeThrown(fields) } : fields;
      // Repeated last: an input's lines are found by these fields, whatever fields the task adds.
      this.#writeLog(level, message, { ...about, ...more, ...about }, ++this.#lines);
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

/**
 * The attempt that the running code belongs to, including timers and promises that it left behind.
 * An error thrown there is attributed to this attempt, and not to whatever runs meanwhile.
 */
export const atWork = new AsyncLocalStorage<Attempt>();
