import { costOf } from '../../planning/cost.ts';
import { noUsage } from '../../planning/usage.ts';
import { Sketch } from '../../report/sketch.ts';
import { CHUNKS_EACH } from '../messages/chunk.ts';
import { CHUNK_ITEMS } from '../messages/lane-chunks.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { RunBill } from '../run/run-bill.ts';
import type { Knobs } from './knobs.ts';
import type { EndReason } from './phase.ts';

/** Interval at which the meter is looked at, in milliseconds. No call is made. */
const LOOK_MS = 500;

/**
 * Longest time until all workers know that the run has stopped, in milliseconds: with up to 100
 * workers, and for each. On a server and on this machine it is shorter.
 */
const KNOWN_MS = 14_000;
const KNOWN_MS_EACH = 125;
const KNOWN_ON_SERVER_MS = 2_000;

/** What it takes to drop a chunk that no worker has begun, or to move it to where it waits. */
const DROPPED = { invocations: 1, requests: 4, seconds: 0.03 };

/** Requests to SQS for a chunk that is done, at least: its receive, claims and deletion. */
const REQUESTS_A_CHUNK = 3;

/** Requests of each worker from which the number of chunks follows from that of requests. */
const TELLING_REQUESTS = 30;

/** Share of the inputs from which the cost of all follows from that of those that are done. */
const TELLING_SHARE = 0.1;

export interface CostCapOptions {
  knobs: Knobs;
  bill: RunBill;
  ledger: RunLedger;
  /** Whether workers read settings from AWS. @default they read them from a server */
  countsLate?: boolean | undefined;
  /** Called when the run has stopped at its limit, and must be cancelled. */
  onOver: (why: EndReason) => void;
}

/**
 * Stops a run before its meter passes its cost limit.
 *
 * `open`: compares the limit with the meter and what will follow it even if the run stops now: the
 * workers' time since their last report and until they have stopped, and the chunks that are left.
 * `stopping`: the limit's tag says that it is reached. Workers start nothing more, and drop the
 * chunks that they receive. Once the inputs in flight have ended, the run is cancelled. A run that
 * pauses at its limit is paused instead, and `open` again: a new limit lets it go on.
 */
export class CostCap {
  readonly #options: CostCapOptions;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #durations = new Sketch();
  #isChanging = false;
  /** When a run that is stopping is cancelled, by `performance.now`. */
  #endsAt: number | undefined;
  #roomUsd = 0;

  constructor(options: CostCapOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** Results were received: their durations tell for how long inputs in flight may run. */
  add(fresh: readonly ResultBatch[]): void {
    for (const { timing } of fresh) if (timing) this.#durations.merge(timing.of.durations);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { knobs, bill } = this.#options;
    const { costLimit, pausedAt } = knobs.settings;
    const usd = bill.cost.usd;
    if (costLimit === undefined || usd === undefined || pausedAt !== undefined) return;
    // An earlier collector has stopped the run.
    if (costLimit.reachedUsd !== undefined && !costLimit.pauses) this.#endsAt ??= this.#stopsAt();
    if (this.#endsAt !== undefined) {
      if (usd < costLimit.usd && performance.now() < this.#endsAt) return;
      this.end();
      const { reachedUsd = usd } = costLimit;
      const room = { reachedUsd, roomUsd: this.#roomUsd };
      this.#options.onOver({ is: 'costLimit', usd: costLimit.usd, ...room });
      return;
    }
    const roomUsd = this.#roomFor(usd, costLimit.usd);
    if (usd + roomUsd < costLimit.usd || this.#isChanging) return;
    this.#isChanging = true;
    // If it fails, the next look tries again.
    void knobs
      .stopAtCost({ ...costLimit, reachedUsd: usd })
      .then(() => {
        this.#roomUsd = roomUsd;
        if (!costLimit.pauses) this.#endsAt = this.#stopsAt();
      })
      .catch(() => {})
      .finally(() => {
        this.#isChanging = false;
      });
  }

  /** What will follow if the run stops now, in US dollars. */
  #roomFor(usd: number, limitUsd: number): number {
    const { bill, ledger } = this.#options;
    const inFlight = bill.inFlight(this.#stopMs()).usd;
    const { settled, inputs } = ledger;
    const share = inputs === 0 ? 0 : settled / inputs;
    const isWithin = ledger.sealed && share >= TELLING_SHARE && usd / share < limitUsd;
    return isWithin ? inFlight : inFlight + this.#droppedUsd(inputs - settled);
  }

  /** What it takes that workers drop the chunks of inputs that are left. */
  #droppedUsd(left: number): number {
    const { bill, ledger } = this.#options;
    const { settled } = ledger;
    if (settled === 0) return 0;
    const { region, counted } = bill.cost;
    const { fair, fifo } = counted.sqs;
    const { workers } = bill.inFlight(0);
    const requests = fair + fifo;
    const chunks =
      requests > TELLING_REQUESTS * workers
        ? (left / settled) * (requests / REQUESTS_A_CHUNK)
        : left / CHUNK_ITEMS + workers * CHUNKS_EACH;
    const { arm64, x86_64 } = counted.gbSeconds;
    const seconds = chunks * DROPPED.seconds;
    const usage = {
      ...noUsage(),
      invocations: chunks * DROPPED.invocations,
      sqs: { standard: 0, fair: chunks * DROPPED.requests, fifo: 0 },
      gbSeconds: arm64 > x86_64 ? { arm64: seconds, x86_64: 0 } : { arm64: 0, x86_64: seconds },
    };
    return costOf(region, usage, bill.prices).usd ?? 0;
  }

  #stopsAt(): number {
    return performance.now() + this.#stopMs();
  }

  /** Longest time until nothing of the run is in flight after it was stopped, in milliseconds. */
  #stopMs(): number {
    const { bill, countsLate = false } = this.#options;
    const { workers } = bill.inFlight(0);
    const knownMs = countsLate ? Math.max(KNOWN_MS, workers * KNOWN_MS_EACH) : KNOWN_ON_SERVER_MS;
    return knownMs + (this.#durations.quantile(1) ?? 0);
  }
}
