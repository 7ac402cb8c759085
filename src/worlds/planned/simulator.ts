import { Worker } from 'node:worker_threads';
import { FanfoldError, messageOf } from '../../errors.ts';
import type { Simulated, Simulation } from './simulate.ts';

/** The module that the thread runs: `.ts` in the source, `.js` in the build. */
const THREAD = new URL(
  `./planning-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

interface Answer {
  simulated?: Simulated;
  fault?: string;
}

interface Waiting {
  simulation: Simulation;
  settle: (answer: Answer) => void;
}

/** Idle time after which the thread ends, in milliseconds. Loading its modules takes a second. */
const IDLE_MS = 5_000;

/** A thread that simulates runs, in the order in which they are asked for. */
class Simulator {
  readonly #waiting: Waiting[] = [];
  #thread: Worker | undefined;
  #ending: ReturnType<typeof setTimeout> | undefined;

  async simulate(simulation: Simulation): Promise<Simulated> {
    const { promise, resolve: settle } = Promise.withResolvers<Answer>();
    this.#waiting.push({ simulation, settle });
    if (this.#waiting.length === 1) this.#next();
    const { simulated, fault } = await promise;
    if (simulated) return simulated;
    throw new FanfoldError('RunFailed', `The run could not be simulated: ${fault}.`);
  }

  #next(): void {
    clearTimeout(this.#ending);
    const [next] = this.#waiting;
    if (next === undefined) {
      const thread = this.#thread;
      thread?.unref();
      this.#ending = setTimeout(() => {
        this.#thread = undefined;
        void thread?.terminate();
      }, IDLE_MS);
      this.#ending.unref();
      return;
    }
    this.#thread ??= this.#open();
    this.#thread.ref();
    this.#thread.postMessage(next.simulation);
  }

  #open(): Worker {
    const thread = new Worker(THREAD, { env: { ...process.env } });
    const end = (fault: string) => {
      if (this.#thread !== thread) return;
      this.#thread = undefined;
      this.#settle({ fault });
    };
    thread.on('message', (answer: Answer) => this.#settle(answer));
    thread.on('error', (error) => end(messageOf(error)));
    thread.on('exit', () => end('its thread has ended'));
    return thread;
  }

  #settle(answer: Answer): void {
    this.#waiting.shift()?.settle(answer);
    this.#next();
  }
}

const simulator = new Simulator();

/** Simulates a run on a thread of its own. */
export function simulateApart(simulation: Simulation): Promise<Simulated> {
  return simulator.simulate(simulation);
}
