import type { ResultBatch } from '../messages/result-message.ts';
import type { Deployment } from '../run/deployment.ts';
import { Heartbeat } from '../run/heartbeat.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { RunBill } from '../run/run-bill.ts';
import { CostCap } from './cost-cap.ts';
import { Deadline, quietAfterAnotherMs } from './deadline.ts';
import type { Knobs } from './knobs.ts';
import type { EndReason } from './phase.ts';
import { type ResultStore, visibilityOf } from './result-store.ts';
import { StallDetector } from './stall-detector.ts';
import { Stragglers } from './stragglers.ts';

export interface RunMonitorOptions {
  ledger: RunLedger;
  /** The collector's name. */
  collector: string;
  /** What the run has used, which is published. */
  bill?: RunBill | undefined;
  /** The run's settings, which others may change. */
  knobs: Knobs;
  /** Whether slow inputs at the run's end are run a second time. @default false */
  hedge?: boolean | undefined;
  /** Whether the run may have had another collector. */
  afterAnother: boolean;
  /** Where results are stored, with a record of those of earlier collectors. @default not here */
  store?: ResultStore | undefined;
  /** Called when the run has stopped at its cost limit. */
  onOverCost: (why: EndReason) => void;
  /** Called just after the deadline. */
  onPassed: () => void;
  /** Called at the deadline, once the results that arrived before it are consumed. */
  onDeadline: () => void;
  /** Called when no further result will arrive, with the number that other collectors reported. */
  onStalled: (others: number) => void;
}

/**
 * Background duties of a collector: heartbeat, deadline, the run's settings, and detection of
 * results that never arrive.
 */
export class RunMonitor {
  readonly #heartbeat: Heartbeat;
  readonly #deadline: Deadline;
  readonly #knobs: Knobs;
  readonly #stallDetector: StallDetector | undefined;
  readonly #stragglers: Stragglers | undefined;
  readonly #cap: CostCap | undefined;

  private constructor(
    heartbeat: Heartbeat,
    deadline: Deadline,
    knobs: Knobs,
    stallDetector: StallDetector | undefined,
    stragglers: Stragglers | undefined,
    cap: CostCap | undefined,
  ) {
    this.#cap = cap;
    this.#stragglers = stragglers;
    this.#heartbeat = heartbeat;
    this.#deadline = deadline;
    this.#knobs = knobs;
    knobs.follow();
    this.#stallDetector = stallDetector;
  }

  /** Starts the duties. Must be called before any result is consumed. */
  static async begin(
    deployment: Deployment,
    queueUrl: string,
    options: RunMonitorOptions,
  ): Promise<RunMonitor> {
    const { ledger, collector, knobs, store, onPassed, onDeadline, onStalled } = options;
    const afterAnother = store?.isSuccessor ?? options.afterAnother;
    const heartbeat = new Heartbeat(deployment.sqs, queueUrl, collector, ledger, options.bill);
    // A store's record has all results that were consumed.
    const others = afterAnother && !store ? await heartbeat.others() : undefined;
    // Another process may have set the run meanwhile.
    if (afterAnother || store) await knobs.read();
    heartbeat.start();
    const anotherMs = afterAnother ? quietAfterAnotherMs(visibilityOf(store)) : undefined;
    const deadline = new Deadline(deployment.sqs, knobs, anotherMs, {
      onPassed,
      onOver: onDeadline,
    });
    const stragglers = options.hedge ? new Stragglers(deployment.sqs, queueUrl, ledger) : undefined;
    const { bill, onOverCost: onOver } = options;
    const { countsLate } = deployment;
    const cap = bill && new CostCap({ knobs, bill, ledger, countsLate, onOver });
    const watched = { deployment, queueUrl, ledger, deadline, knobs };
    const stalled =
      others === undefined
        ? undefined
        : new StallDetector({ ...watched, onStalled: () => onStalled(others) });
    return new RunMonitor(heartbeat, deadline, knobs, stalled, stragglers, cap);
  }

  /** Results were received, and their consumer has not returned yet. */
  hold(fresh: readonly ResultBatch[]): void {
    this.#stragglers?.add(fresh);
    this.#cap?.add(fresh);
    this.#deadline.hold();
  }

  /**
   * The consumer has returned.
   *
   * @param all whether no earlier result still waits for its turn in the order
   */
  release(all: boolean): void {
    if (all) this.#heartbeat.markConsumed();
    this.#deadline.release();
  }

  /** Stops all duties but the heartbeat. */
  close(): void {
    this.#knobs.end();
    this.#deadline.end();
    this.#stragglers?.end();
    this.#cap?.end();
    this.#stallDetector?.end();
  }

  /** Stops the heartbeat. @param isLeft whether the run has no collector any more */
  async end(isLeft: boolean): Promise<void> {
    if (isLeft) await this.#heartbeat.leave();
    else this.#heartbeat.end();
  }
}
