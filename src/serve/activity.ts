import type { QueueChange } from '../emulator/sqs/index.ts';
import type { Connection, SignedService } from '../emulator/transport/index.ts';
import { type Announced, readAnnounced } from '../endpoint/announced-workers.ts';
import { count } from '../errors.ts';
import { createdAt, type Names } from '../pipeline/names.ts';

/** Interval at which lines are printed, in milliseconds, and the most lines at a time. */
const PRINT_MS = 1_000;
const LINES = 10;

/** Silence after which a machine's workers have left, in ms: they poll at least every ten seconds. */
const ABSENT_MS = 15_000;

/** The same once the machine has closed its connection: workers that are there poll each second. */
const DISCONNECTED_MS = 3_000;

/** Most machines that are remembered: anyone with the secret can announce any name. */
const MACHINES = 1_000;

/** Most characters of a task's name in a line. */
const NAME_LENGTH = 80;

interface Machine {
  count: number;
  seenAt: number;
  /** Whether it has closed a connection since. */
  isDisconnected: boolean;
}

/**
 * Reports the runs and the workers of a server as they come and go, in lines for people. A run is
 * the life of its queue. Workers are those that their machine's requests announce.
 */
export class Activity {
  readonly #prefix: string;
  readonly #onEvent: (line: string) => void;
  readonly #onLost: (name: string) => void;
  readonly #runs = new Set<string>();
  readonly #machines = new Map<string, Machine>();
  readonly #connections = new WeakSet<Connection>();
  #lines: string[] = [];
  #more = 0;
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * @param onEvent called with each line
   * @param onLost called with the name of a machine that has left without a word
   */
  constructor(names: Names, onEvent: (line: string) => void, onLost: (name: string) => void) {
    this.#prefix = names.run('');
    this.#onEvent = onEvent;
    this.#onLost = onLost;
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
      if (announced && 'isStranger' in admitted && !admitted.isStranger) {
        this.seen(announced);
        this.#follow(announced, head.connection);
      }
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
    const seenAt = performance.now();
    this.#machines.set(name, { count: workers, seenAt, isDisconnected: false });
    if (known?.count === workers) return;
    this.#add(`${name} joined with ${count(workers, 'worker')} (${this.#inAll()})`);
  }

  /** Follows the connection of a machine, which the system closes if its process is killed. */
  #follow({ name }: Announced, connection: Connection | undefined): void {
    if (connection === undefined || this.#connections.has(connection)) return;
    this.#connections.add(connection);
    connection.once('close', () => {
      const machine = this.#machines.get(name);
      if (machine) machine.isDisconnected = true;
    });
  }

  #left(name: string): void {
    this.#machines.delete(name);
    this.#add(`${name} left (${this.#inAll()})`);
  }

  #tick(): void {
    const now = performance.now();
    for (const [name, { seenAt, isDisconnected }] of this.#machines) {
      if (now - seenAt <= (isDisconnected ? DISCONNECTED_MS : ABSENT_MS)) continue;
      this.#left(name);
      this.#onLost(name);
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
