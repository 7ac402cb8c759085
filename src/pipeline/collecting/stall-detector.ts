import { serviceNow } from '../../clock.ts';
import { count, FanfoldError } from '../../errors.ts';
import { wait } from '../../retry.ts';
import { type Backlog, backlogOf, countOf } from '../run/backlog.ts';
import type { Deployment } from '../run/deployment.ts';
import type { RunLedger } from '../run/ledger.ts';
import { type Deadline, quietAfterAnotherMs } from './deadline.ts';
import type { Knobs } from './knobs.ts';
import { VISIBILITY_SECONDS } from './result-receiver.ts';

export interface StallDetectorOptions {
  deployment: Deployment;
  queueUrl: string;
  ledger: RunLedger;
  deadline: Deadline;
  /** The run's settings: after its deadline its chunks are dropped, and while it is paused, kept. */
  knobs: Knobs;
  /** Called once no further result will arrive. */
  onStalled: () => void;
}

const CHECK_MS = 1_000;
/**
 * AWS's counts may be out of date by a minute.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
 */
const LATE_CHECK_MS = 30_000;

/** Checks that must agree: a chunk that a worker is sending back to the queue is not counted. */
const CHECKS = 3;

/**
 * Detects that the results a run still lacks will never arrive, because another collector consumed
 * them. Three conditions must hold: all inputs are seeded, the deployment has no chunk left, and
 * the run's queue has no more results. The queue must be empty, or quiet for longer than a message
 * that the other collector received stays invisible.
 */
export class StallDetector {
  readonly #options: StallDetectorOptions;
  readonly #stop = new AbortController();

  constructor(options: StallDetectorOptions) {
    this.#options = options;
    void this.#watch();
  }

  end(): void {
    this.#stop.abort();
  }

  async #watch(): Promise<void> {
    const { deployment, ledger, knobs, onStalled } = this.#options;
    const { signal } = this.#stop;
    let checks = 0;
    let settled = ledger.settled;
    while (checks < CHECKS) {
      await wait(deployment.countsLate ? LATE_CHECK_MS : CHECK_MS, signal);
      // From then on, the deadline reports the missing results.
      const { expiresAt, pausedAt } = knobs.settings;
      if (signal.aborted || serviceNow(deployment.sqs) >= expiresAt) return;
      const isStill = pausedAt === undefined && ledger.sealed && ledger.settled === settled;
      settled = ledger.settled;
      checks = isStill && (await this.#isIdle()) ? checks + 1 : 0;
    }
    if (!signal.aborted && ledger.settled === settled) onStalled();
  }

  async #isIdle(): Promise<boolean> {
    const { deployment, queueUrl, deadline } = this.#options;
    try {
      if (messagesOf(await backlogOf(deployment)) > 0) return false;
      if (deadline.quietMs >= quietAfterAnotherMs(VISIBILITY_SECONDS)) return true;
      if (deployment.countsLate) return false;
      return messagesOf(await countOf(deployment.sqs, queueUrl)) === 0;
    } catch {
      return false;
    }
  }
}

function messagesOf({ waiting, delayed, inFlight }: Backlog): number {
  return waiting + delayed + inFlight;
}

/** The error for a run whose missing results cannot be accounted for. */
export function resultsUnaccounted(runId: string, missing: number): FanfoldError {
  return new FanfoldError(
    'RunFailed',
    `Run ${runId} lacks the results of ${count(missing, 'input')}, and they will not arrive: all inputs are seeded, and no chunk is left. Either a killed command has collected them, or their chunks are dead letters, which \`redrive\` moves back. The run was not changed: collect it with that command's output file, or cancel it.`,
  );
}
