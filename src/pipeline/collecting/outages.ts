import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import {
  type FailingText,
  inARow,
  type Outage,
  parsedFailing,
  shareText,
} from '../messages/failing.ts';
import type { FailingNotice, ProbedNotice } from '../messages/notice.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Knobs } from './knobs.ts';
import type { RunOptions } from './run-options.ts';

/** Fewest inputs of which a share says something. */
const LEAST_INPUTS = 20;

/** Part of the limit's time after which inputs that all fail are an outage; but 2 s at least. */
const QUIET = 0.1;
const LEAST_QUIET_MS = 2_000;

/** Probes in a row that must be ok for the run to go on. */
const OK_PROBES = 3;

/** Wait before a decision, in milliseconds: workers send results that are ok up to 500 ms later. */
const DECISION_MS = 500;

/** Parts of the limit's time, in which inputs are counted together. */
const SLOTS = 60;

/** Notices that are remembered: each may arrive twice, mostly within a minute. */
const REMEMBERED = 10_000;

/**
 * Decides when a run pauses itself, as too many of its inputs fail, and when it goes on.
 *
 * `open`: counts the inputs that were ok, and those whose first attempt failed. If the limit's share
 * of all within its time has failed, the run pauses itself; so it does if none was ok for a tenth of
 * that time, as earlier inputs say nothing about a service that is down. `outage`: workers run single inputs, as
 * probes. Once several in a row are ok, or an operator says so, the run goes on. The state is a tag
 * of the run's queue, so that the next collector finds it.
 */
export class Outages {
  readonly #knobs: Knobs;
  readonly #sqs: SQSClient;
  /** Whether the run may pause itself: workers tell a collector that resumes it. */
  readonly #isWatched: boolean;
  #limit: FailingText;
  /** Counts by their time, by `performance.now`; the oldest come first. */
  #slots: { from: number; ok: number; failed: number }[] = [];
  /** Since when no input was ok, by `performance.now`; and the inputs that have failed since. */
  #since = performance.now();
  #failedSince = 0;
  #heard = new Set<string>();
  #okProbes = 0;
  #isChanging = false;
  #deciding: ReturnType<typeof setTimeout> | undefined;
  #decidingLater: ReturnType<typeof setTimeout> | undefined;

  constructor(knobs: Knobs, sqs: SQSClient, { pauseWhenFailing, resume }: RunOptions) {
    this.#knobs = knobs;
    this.#sqs = sqs;
    this.#isWatched = pauseWhenFailing !== undefined || resume !== undefined;
    this.#limit = pauseWhenFailing ?? '50%/1m';
  }

  /** Counts results. */
  count(fresh: readonly ResultBatch[]): void {
    if (!this.#isWatched) return;
    let ok = 0;
    for (const batch of fresh) {
      ok += batch.ok ? batch.count : batch.lines.filter(({ status }) => status === 'ok').length;
    }
    this.#add(ok, 0);
  }

  hear(notice: FailingNotice | ProbedNotice): void {
    if (this.#heard.has(notice.id)) return;
    if (this.#heard.size >= REMEMBERED) this.#heard.clear();
    this.#heard.add(notice.id);
    if (notice.notice === 'failing') this.#failing(notice);
    else this.#probed(notice);
  }

  /** Decides nothing any more. */
  end(): void {
    clearTimeout(this.#deciding);
    clearTimeout(this.#decidingLater);
  }

  #failing(notice: FailingNotice): void {
    this.#limit = notice.limit;
    this.#add(0, notice.failed);
    this.#deciding ??= setTimeout(() => {
      this.#deciding = undefined;
      this.#decide(notice);
    }, DECISION_MS);
    // Workers that wait send no further notice meanwhile.
    clearTimeout(this.#decidingLater);
    this.#decidingLater = setTimeout(() => this.#decide(notice), this.#quietMs + DECISION_MS);
  }

  #decide({ error }: FailingNotice): void {
    const { outage, pausedAt } = this.#knobs.settings;
    if (outage !== undefined || pausedAt !== undefined) return;
    const share = this.#failedShare();
    if (share === undefined) return;
    const reason = `${share}, last: ${error.replaceAll(/\s+/g, ' ')}`;
    this.#change({ since: serviceNow(this.#sqs), reason });
  }

  /** Time without an input that is ok which is an outage. */
  get #quietMs(): number {
    return Math.max(LEAST_QUIET_MS, parsedFailing(this.#limit).seconds * 1_000 * QUIET);
  }

  /** The inputs that have failed, in words, if they are too many. */
  #failedShare(): string | undefined {
    const { share, seconds } = parsedFailing(this.#limit);
    const ok = this.#slots.reduce((sum, slot) => sum + slot.ok, 0);
    const failed = this.#slots.reduce((sum, slot) => sum + slot.failed, 0);
    if (ok + failed >= LEAST_INPUTS && failed >= share * (ok + failed)) {
      return shareText(failed, ok + failed, seconds);
    }
    const quietMs = performance.now() - this.#since;
    if (quietMs < this.#quietMs) return undefined;
    const isTelling = this.#failedSince >= Math.max(LEAST_INPUTS, inARow(share));
    return isTelling ? shareText(this.#failedSince, this.#failedSince, quietMs / 1_000) : undefined;
  }

  #probed({ ok, since }: ProbedNotice): void {
    if (this.#knobs.settings.outage?.since !== since) return;
    this.#forget();
    this.#okProbes = ok ? this.#okProbes + 1 : 0;
    if (this.#okProbes >= OK_PROBES) this.#change(undefined);
  }

  /** If it fails, the next notice decides again. */
  #change(outage: Outage | undefined): void {
    if (this.#isChanging) return;
    this.#isChanging = true;
    const done = () => {
      this.#isChanging = false;
    };
    this.#knobs.setOutage(outage).then(() => {
      // What was counted before says nothing about what comes.
      this.#forget();
      this.#okProbes = 0;
      done();
    }, done);
  }

  #forget(): void {
    this.#slots = [];
    this.#since = performance.now();
    this.#failedSince = 0;
  }

  #add(ok: number, failed: number): void {
    // Results of attempts that began before an outage may arrive within it.
    if (this.#knobs.settings.outage !== undefined) {
      this.#forget();
      return;
    }
    const now = performance.now();
    if (ok > 0) this.#since = now;
    this.#failedSince = ok > 0 ? 0 : this.#failedSince + failed;
    const ms = parsedFailing(this.#limit).seconds * 1_000;
    while ((this.#slots[0]?.from ?? now) < now - ms) this.#slots.shift();
    const last = this.#slots.at(-1);
    if (last !== undefined && now - last.from < ms / SLOTS) {
      last.ok += ok;
      last.failed += failed;
    } else this.#slots.push({ from: now, ok, failed });
  }
}
