import { pull } from '../../src/pipeline/working/poll-loop.ts';
import type { Worker } from '../../src/pipeline/working/worker.ts';
import { Actor, FATE, trueNow } from './actors.ts';
import type { Faults } from './faults.ts';
import { after } from './pause.ts';

/** Longest time until a worker that ended is replaced, in milliseconds. */
const REPLACED_MS = 20_000;

/** Longest time between two moments at which a worker may be stopped, in milliseconds. */
const STOP_EVERY_MS = 10_000;

type Opened = Omit<Parameters<typeof pull>[0], 'signal'>;

/** Processes that pull chunks: each that dies or ends is replaced. */
export class PullWorkers {
  readonly #open: (actor: Actor) => Opened;
  readonly #faults: Faults;
  readonly #pulling = new Set<Promise<void>>();
  readonly #stopping = new Set<AbortController>();
  #closed = false;
  #count = 0;

  /** @param open makes a new process's worker */
  constructor(open: (actor: Actor) => Opened, faults: Faults) {
    this.#open = open;
    this.#faults = faults;
  }

  start(): void {
    if (this.#closed) return;
    const actor = new Actor(`pull-${++this.#count}`, 'worker');
    const stop = new AbortController();
    this.#stopping.add(stop);
    const ended = new Promise<void>((resolve) => actor.onDeath(() => resolve()));
    const pulling = ended.then(() => {
      this.#stopping.delete(stop);
      this.#pulling.delete(pulling);
      if (!this.#closed)
        void after(this.#faults.random.whole(0, REPLACED_MS)).then(() => this.start());
    });
    this.#pulling.add(pulling);
    const opened = this.#open(actor);
    FATE.run(() => this.#mayStop(actor, stop, opened.worker));
    actor.run(() => {
      // A process that has nothing more to do exits.
      void pull({ ...opened, signal: stop.signal }).then(() => actor.kill('at its end'));
    });
  }

  /** Tells each to stop; resolves when they have. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stopping) stop.abort();
    await Promise.all(this.#pulling);
  }

  /** Something such as a deployment stops it while it works: it sends its chunks back. */
  #mayStop(actor: Actor, stop: AbortController, worker: Worker): void {
    void after(this.#faults.random.whole(1, STOP_EVERY_MS)).then(() => {
      if (actor.dead || this.#closed || this.#faults.healed) return;
      if (!this.#faults.hits('stopWorker')) return this.#mayStop(actor, stop, worker);
      actor.stoppedAt = trueNow();
      stop.abort();
      worker.interrupt(new Error('The worker was told to stop.'));
    });
  }
}
