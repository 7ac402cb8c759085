import type { Random } from '../../src/worlds/planned/random.ts';
import type { EventLog } from './event-log.ts';

/** Faults, each with its possible rates: fast-check picks one, or none. */
export const FAULTS = {
  /** A receive returns a message, and the queue delivers it to another receiver at once. */
  duplicateDelivery: [0.05, 0.2],
  /** A message becomes visible late, after others that were sent later. */
  lateMessage: [0.02, 0.2],
  /** A receive's response takes long, while the message's visibility timeout runs out. */
  lateDelivery: [0.01, 0.1],
  /** A receive returns nothing, although there are messages. */
  emptyReceive: [0.05, 0.3],
  /** A receive returns fewer messages than there are, as on SQS while a queue holds few. */
  shortReceive: [0.3, 1],
  /** A delivery is counted that no receiver got. */
  phantomDelivery: [0.01, 0.1],
  /** A delete reports success, but the message stays. */
  deleteWithoutEffect: [0.02, 0.1],
  /** A message in flight becomes visible too early. */
  earlyVisibility: [0.05, 0.3],
  /** Some entries of a batch fail because of a fault of SQS. */
  partialBatch: [0.05, 0.3],
  /** A request is lost before it had an effect. */
  lostRequest: [0.01, 0.05],
  /** A request has its effect, but its response is lost. */
  lostAnswer: [0.01, 0.05],
  /** A request or its response is lost, and its client waits until its time limit. */
  hungCall: [0.002, 0.01],
  throttling: [0.02, 0.2],
  /** An existing queue is reported as missing. */
  missingQueue: [0.01, 0.1],
  /** A worker dies: before a call, after one, or while its task runs. */
  killWorker: [0.005, 0.03],
  /** A worker function's INIT fails, or is cut off: the invocation fails before any code of it runs. */
  lostInit: [0.05, 0.3],
  /** A seed dies at a call. */
  killSeed: [0.01, 0.05],
  /** A collector dies: at a call, or while it writes results. */
  killCollector: [0.002, 0.01],
  /** A collector is stopped and leaves its run, which another one resumes. */
  leaveRun: [0.02, 0.1],
  /** A worker is ten to a hundred times as slow, from its start to its end. */
  slowWorker: [0.1, 0.3],
  /** A seed is invoked twice, the second time at any later moment. */
  seedTwice: [0.1, 0.5],
  /** A machine's clock is off by minutes to days, from its process's start to its end. */
  wrongClock: [0.3, 0.8],
  /** A sender other than a worker sends a message to a run's queue. */
  forgedMessage: [0.1, 0.5],
  /** A worker is stopped, and sends its chunks back. */
  stopWorker: [0.005, 0.03],
} as const;

export type Fault = keyof typeof FAULTS;
export type FaultRates = Readonly<Record<Fault, number>>;

export const FAULT_NAMES = Object.keys(FAULTS) as Fault[];

/** Decides, call by call, what goes wrong, until the world is healed. */
export class Faults {
  readonly random: Random;
  readonly #rates: FaultRates;
  readonly #log: EventLog;
  readonly #happened = new Map<Fault, number>();
  #healed = false;

  constructor(rates: FaultRates, random: Random, log: EventLog) {
    this.#rates = rates;
    this.random = random;
    this.#log = log;
  }

  get healed(): boolean {
    return this.#healed;
  }

  /** Ends all faults. */
  heal(): void {
    this.#healed = true;
  }

  /** Whether this fault happens now. Call it only where the fault then really takes effect. */
  hits(fault: Fault): boolean {
    if (this.#healed || !this.random.chance(this.#rates[fault])) return false;
    this.#happened.set(fault, this.happened(fault) + 1);
    this.#log.mark(`fault: ${fault}`);
    return true;
  }

  happened(fault: Fault): number {
    return this.#happened.get(fault) ?? 0;
  }
}
