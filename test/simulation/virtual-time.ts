import { createHook } from 'node:async_hooks';
import { FATE, trueNow } from './actors.ts';
import { Timers } from './timers.ts';

/** Resources that simulated code may create: they end by the event loop's next turn. */
export const WITHIN_A_TURN = new Set([
  // Of zlib's synchronous calls. Simulated results are not compressed, so there are no others.
  'ZLIB',
  'TickObject',
  'Microtask',
  // Of a callback for the end of a stream, which is in memory.
  'STREAM_END_OF_STREAM',
]);

/** Frames of the stack that shows what waits for something real. */
const STRAY_FRAMES = 20;

const realSetImmediate = setImmediate;

export type Stop = 'done' | 'idle' | 'late';

/**
 * Time that passes only from timer to timer. Between two timers the event loop turns once, in
 * which every microtask runs to its end; so what happens depends on nothing but the code, as long
 * as it waits for nothing else. `strays` lists other resources: a socket, a file, a real timer.
 */
export class VirtualTime {
  /** Resources that would make simulated code wait for something real: type, and stack. */
  readonly strays = new Map<string, string>();
  /** Rejections that nobody handled. */
  readonly rejections: unknown[] = [];
  readonly #startedAt: number;
  readonly #timers: Timers;
  readonly #hook: ReturnType<typeof createHook>;
  readonly #onRejection = (reason: unknown) => void this.rejections.push(reason);
  #turning = false;

  constructor(startAt: number) {
    this.#startedAt = startAt;
    this.#timers = new Timers(startAt);
    this.#timers.install();
    process.on('unhandledRejection', this.#onRejection);
    this.#hook = createHook({
      init: (_id, type) => {
        if (this.#turning || WITHIN_A_TURN.has(type)) return;
        Error.stackTraceLimit = STRAY_FRAMES;
        this.strays.set(type, new Error(type).stack ?? type);
        Error.stackTraceLimit = 0;
      },
      trackPromises: false,
    }).enable();
  }

  /** Milliseconds since the beginning. */
  get elapsed(): number {
    return trueNow() - this.#startedAt;
  }

  /** Lets time pass until it is `done`, nothing is left to wait for, or it is `until`. */
  async run(done: () => boolean, until: number): Promise<Stop> {
    for (;;) {
      await this.#turn();
      if (done()) return 'done';
      if (this.#timers.size === 0) return 'idle';
      if (this.elapsed > until) return 'late';
      this.#timers.next();
    }
  }

  /** Names of the live actors that still have timers. */
  timers(): string[] {
    const living = this.#timers.owners().filter((owner) => !owner.dead && owner !== FATE);
    return living.map(({ name }) => name);
  }

  uninstall(): void {
    this.#hook.disable();
    process.off('unhandledRejection', this.#onRejection);
    this.#timers.uninstall();
  }

  /** One turn of the real event loop. */
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#turning = true;
      realSetImmediate(resolve);
      this.#turning = false;
    });
  }
}
