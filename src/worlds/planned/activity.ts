/** Idle time after which a worker counts as idle: it looks for the next chunk, in milliseconds. */
const IDLE_MS = 1_000;

/** An execution environment that runs inputs, or has just done so. */
interface Environment {
  running: number;
  endedAt: number;
  isBusy: boolean;
}

/** Watches which execution environments run inputs. */
export class Activity {
  readonly #busy = new Set<Environment>();
  readonly #all: number;
  /** Largest number that were busy at once. */
  peak = 0;
  /** When all were busy for the first time, in milliseconds; undefined if they never were. */
  allAt: number | undefined;
  /** When the last input ended, in milliseconds. */
  lastAt = 0;

  /** @param all number of environments that may run inputs */
  constructor(all: number) {
    this.#all = all;
  }

  /** A new environment. Its function runs an input. */
  environment(): <T>(input: () => Promise<T>) => Promise<T> {
    const environment: Environment = { running: 0, endedAt: 0, isBusy: false };
    return async (input) => {
      environment.running++;
      this.#begun(environment);
      try {
        return await input();
      } finally {
        environment.running--;
        environment.endedAt = performance.now();
        this.lastAt = environment.endedAt;
      }
    };
  }

  /** Number of busy environments. */
  count(): number {
    const since = performance.now() - IDLE_MS;
    for (const environment of this.#busy) {
      if (environment.running > 0 || environment.endedAt > since) continue;
      environment.isBusy = false;
      this.#busy.delete(environment);
    }
    return this.#busy.size;
  }

  #begun(environment: Environment): void {
    if (environment.isBusy) return;
    environment.isBusy = true;
    this.#busy.add(environment);
    if (this.#busy.size > this.peak) this.peak = this.count();
    if (this.#busy.size >= this.#all) this.allAt ??= performance.now();
  }
}
