import type { SQSClient } from '@aws-sdk/client-sqs';
import { wait } from '../../retry.ts';
import { withCauses } from '../../thrown.ts';
import type { Chunk } from '../messages/chunk.ts';
import { type FailingText, parsedFailing, probeSeconds } from '../messages/failing.ts';
import { type Notice, noticeBody } from '../messages/notice.ts';
import type { RunControl, RunQueues } from '../run/run-queues.ts';
import { sendAll } from '../run/send.ts';
import type { Brake } from './brake.ts';
import type { Outcome } from './outcome.ts';
import type { Outbox } from './report.ts';
import type { RunPaces } from './run-paces.ts';

/** Longest wait of failures for further ones to share a notice, in milliseconds. */
const NOTICE_MS = 500;

/** The wait for each worker of the run, if that is longer: all send about 200 notices a second. */
const NOTICE_MS_EACH = 5;

/** Time in which a collector on a server hears of failures and decides, in milliseconds. */
const LEAST_BRAKE_MS = 2_000;

/** Length of an error in a notice, which has at most a thousand characters. */
const ERROR_LENGTH = 120;

/** A chunk's execution, as far as its watch needs it. */
export interface Watched {
  sqs: SQSClient;
  runs: RunQueues;
  paces: RunPaces;
  outbox: Outbox;
  chunk: Chunk;
  control: RunControl;
}

/** The watch over a chunk; undefined if its run does not pause itself. */
export function watchOf(watched: Watched, stop: () => void): FailureWatch | undefined {
  const { pauseWhenFailing: limit } = watched.control;
  return limit && new FailureWatch(watched, limit, stop);
}

/**
 * The watch over one chunk of a run that pauses itself when too many of its inputs fail. It tells
 * the collector, which decides, of the first attempts that fail; and during an outage, of each
 * attempt, none of which counts for its input.
 *
 * Further attempts say little: at the end of a run, they are those of the few inputs that always
 * fail.
 */
export class FailureWatch {
  readonly #watched: Watched;
  readonly #limit: FailingText;
  readonly #share: number;
  readonly #brake: Brake;
  readonly #stop: () => void;
  #failed = 0;
  #error = '';
  /** Whether the last probe was ok. */
  #probed: boolean | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #sending = new Set<Promise<void>>();

  /** @param stop starts no further item of the chunk */
  constructor(watched: Watched, limit: FailingText, stop: () => void) {
    this.#watched = watched;
    this.#limit = limit;
    this.#stop = stop;
    this.#share = parsedFailing(limit).share;
    this.#brake = watched.paces.of(watched.chunk.runId).brake;
  }

  /** Waits if the worker's attempts have all failed, unless they are probes. */
  async mayBegin(stopped: Promise<void>): Promise<void> {
    const isProbing = this.#watched.control.outageSince !== undefined;
    if (isProbing || this.#brake.waitMs === 0) return;
    const ended = new AbortController();
    await Promise.race([wait(this.#brake.waitMs, ended.signal), stopped]);
    ended.abort();
  }

  /** Takes an attempt that has ended. Returns the outcome that it has for its input. */
  ended(outcome: Outcome): Outcome {
    const { outageSince } = this.#watched.control;
    return outageSince === undefined ? this.#counted(outcome) : this.#probe(outcome, outageSince);
  }

  /** Resolves when the collector can know of all failures. */
  async flush(): Promise<void> {
    this.#sendFailures();
    await Promise.all(this.#sending);
  }

  #counted(outcome: Outcome): Outcome {
    const { chunk, runs } = this.#watched;
    // A service that asks for a later attempt is busy.
    if (!outcome.ok && outcome.failure.later) return outcome;
    if (!outcome.ok && chunk.attempt === 1) {
      const { failure } = outcome;
      this.#failed++;
      this.#error = `${failure.name}: ${withCauses(failure)}`.slice(0, ERROR_LENGTH);
      const waitMs = Math.max(NOTICE_MS, (chunk.workers ?? 1) * NOTICE_MS_EACH);
      this.#timer ??= setTimeout(() => this.#sendFailures(), waitMs);
    }
    // Twice the time in which a worker hears of a change: the collector must hear first.
    const brakeMs = Math.max(LEAST_BRAKE_MS, 2 * runs.intervalMs(chunk));
    if (this.#brake.ended(outcome.ok, this.#share, brakeMs)) {
      // The results before the failures must not arrive long after them.
      this.#watched.outbox.send();
      this.#sendFailures();
      this.#stop();
    }
    return outcome;
  }

  #probe(outcome: Outcome, since: number): Outcome {
    // A setup that fails, fails all inputs of its chunk: one of them says it.
    if (outcome.ok || this.#probed !== false) {
      this.#send({ notice: 'probed', id: crypto.randomUUID(), ok: outcome.ok, since });
    }
    this.#probed = outcome.ok;
    if (outcome.ok || !outcome.failure.retryable) return outcome;
    const { delaySeconds = probeSeconds(this.#limit) } = outcome.failure;
    return { ...outcome, failure: { ...outcome.failure, delaySeconds, later: true } };
  }

  #sendFailures(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#failed === 0) return;
    const about = { failed: this.#failed, error: this.#error, limit: this.#limit };
    this.#failed = 0;
    this.#send({ notice: 'failing', id: crypto.randomUUID(), ...about });
  }

  /** Sends a notice. If it is lost, the run learns later that it fails, or succeeds again. */
  #send(notice: Notice): void {
    const { sqs, chunk } = this.#watched;
    const body = noticeBody(chunk.runId, notice);
    const sent = sendAll(sqs, chunk.resultQueueUrl, [{ body }])
      .catch(() => {})
      .finally(() => this.#sending.delete(sent));
    this.#sending.add(sent);
  }
}
