import type { QueueChange } from '../emulator/sqs/index.ts';
import type { SignedService } from '../emulator/transport/index.ts';
import { type Announced, readAnnounced } from '../endpoint/announced-workers.ts';
import { count } from '../errors.ts';
import { createdAt, type Names } from '../pipeline/names.ts';

/** Interval at which lines are printed, in milliseconds, and the most lines at a time. */
const PRINT_MS = 1_000;
const LINES = 10;

/** Silence after which a machine's workers have left, in ms: they poll at least every ten seconds. */
const ABSENT_MS = 15_000;

/** Most machines that are remembered: anyone with the secret can announce any name. */
const MACHINES = 1_000;

/** Most characters of a task's name in a line. */
const NAME_LENGTH = 80;

/**
 * Reports the runs and the workers of a server as they come and go, in lines for people. A run is
 * the life of its queue. Workers are those that their machine's requests announce.
 */
export class Activity {
  readonly #prefix: string;
  readonly #onEvent: (line: string) => void;
  readonly #runs = new Set<string>();
  readonly #machines = new Map<string, { count: number; seenAt: number }>();
  #lines: string[] = [];
  #more = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(names: Names, onEvent: (line: string) => void) {
    this.#prefix = names.run('');
    this.#onEvent = onEvent;
    this.#timer = setInterval(() => this.#tick(), PRINT_MS);
    this.#timer.unref();
  }

  /** Prints the last lines. */
  close(): void {
    clearInterval(this.#timer);
    this.#print();
  }

  /** Number of workers of all machines that are there now. */
  get workers(): number {
    let workers = 0;
    for (const machine of this.#machines.values()) workers += machine.count;
    return workers;
  }

  /** Follows the queues of runs. */
  readonly onQueue = ({ change, name, tags }: QueueChange): void => {
    const runId = name.slice(this.#prefix.length);
    const born = createdAt(runId);
    if (!name.startsWith(this.#prefix) || born === undefined) return;
    const task = (tags.get('task') ?? '?').slice(0, NAME_LENGTH);
    if (change === 'deleted') {
      this.#runs.delete(runId);
      const total = tags.get('total');
      const inputs = total === undefined ? '' : `, ${count(Number(total), 'input')}`;
      const seconds = Math.max(0, Math.round((Date.now() - born) / 1000));
      this.#add(`run ${runId} ended after ${seconds} s: ${task}${inputs} (${this.#inProgress()})`);
      return;
    }
    this.#runs.add(runId);
    const verb = change === 'created' ? 'began' : 'continues';
    this.#add(`run ${runId} ${verb}: ${task} (${this.#inProgress()})`);
  };

  /** Follows the workers that the requests to a service announce, once they are verified. */
  watching(service: SignedService): SignedService {
    const admit: SignedService['admit'] = (head) => {
      const admitted = service.admit(head);
      const announced = readAnnounced(head.headers);
      if (announced && 'isStranger' in admitted && !admitted.isStranger) this.seen(announced);
      return admitted;
    };
    return Object.assign((request: Parameters<SignedService>[0]) => service(request), { admit });
  }

  seen({ name, count: workers }: Announced): void {
    const known = this.#machines.get(name);
    if (workers === 0) {
      if (known) this.#left(name);
      return;
    }
    if (known === undefined && this.#machines.size >= MACHINES) return;
    this.#machines.set(name, { count: workers, seenAt: performance.now() });
    if (known?.count === workers) return;
    this.#add(`${name} joined with ${count(workers, 'worker')} (${this.#inAll()})`);
  }

  #left(name: string): void {
    this.#machines.delete(name);
    this.#add(`${name} left (${this.#inAll()})`);
  }

  #tick(): void {
    const now = performance.now();
    for (const [name, { seenAt }] of this.#machines) {
      if (now - seenAt > ABSENT_MS) this.#left(name);
    }
    this.#print();
  }

  #add(line: string): void {
    if (this.#lines.length < LINES) this.#lines.push(line);
    else this.#more++;
  }

  #print(): void {
    for (const line of this.#lines.splice(0)) this.#onEvent(line);
    if (this.#more > 0) this.#onEvent(`${this.#more} more runs or workers came or went`);
    this.#more = 0;
  }

  #inProgress(): string {
    return `${count(this.#runs.size, 'run')} in progress`;
  }

  #inAll(): string {
    return `${count(this.workers, 'worker')} in all`;
  }
}
