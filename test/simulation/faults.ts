import type { EventLog } from './event-log.ts';
import type { Random } from './random.ts';

/** Faults, each with its possible rates: fast-check picks one, or none. */
export const FAULTS = {
  /** A receive gives a message, and the queue gives it to somebody else at once. */
  duplicateDelivery: [0.05, 0.2],
  /** A message becomes visible late, after others that were sent later. */
  lateMessage: [0.02, 0.2],
  /** A receive's answer takes long, while the message's visibility runs out. */
  lateDelivery: [0.01, 0.1],
  /** A receive finds nothing, whatever there is. */
  emptyReceive: [0.05, 0.3],
  /** A receive returns fewer messages than it may, whatever there is: SQS's do while it holds few. */
  shortReceive: [0.3, 1],
  /** A delivery is counted that nobody got. */
  phantomDelivery: [0.01, 0.1],
  /** A delete answers that it is done, and the message stays. */
  deleteWithoutEffect: [0.02, 0.1],
  /** A message in flight becomes visible before its time. */
  earlyVisibility: [0.05, 0.3],
  /** Some entries of a batch fail, by SQS's fault. */
  partialBatch: [0.05, 0.3],
  /** A request is lost before it had an effect. */
  lostRequest: [0.01, 0.05],
  /** A request had its effect, and its answer is lost. */
  lostAnswer: [0.01, 0.05],
  /** A request, or its answer, is lost, and its client gives it up only when its time limit is over. */
  hungCall: [0.002, 0.01],
  throttling: [0.02, 0.2],
  /** A queue that is there is said not to be. */
  missingQueue: [0.01, 0.1],
  /** A worker dies: before a call, after one, or while its task runs. */
  killWorker: [0.005, 0.03],
  /** A worker function's INIT fails, or is cut off: the invocation fails before any code of it runs. */
  lostInit: [0.05, 0.3],
  /** A seed dies at a call. */
  killSeed: [0.01, 0.05],
  /** A collector dies: at a call, or while it writes results. */
  killCollector: [0.002, 0.01],
  /** A collector is told to leave its run, which another one resumes. */
  leaveRun: [0.02, 0.1],
  /** A worker is ten to a hundred times as slow, from its start to its end. */
  slowWorker: [0.1, 0.3],
  /** A seed's invocation happens twice: the second one at any time later. */
  seedTwice: [0.1, 0.5],
  /** A machine's clock is off by minutes to days, from its process's start to its end. */
  wrongClock: [0.3, 0.8],
  /** Somebody who is no worker sends a message to a run's queue. */
  forgedMessage: [0.1, 0.5],
  /** A worker is told to stop, and hands back what it has. */
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

  /** Whether this goes wrong this time: say it only where it then really does. */
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
