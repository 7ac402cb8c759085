import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { isDenied, isMissingQueue, isThrottled } from '../call-errors.ts';
import type { Chunk, Stall } from '../messages/chunk.ts';
import { type FailingText, probingFlow } from '../messages/failing.ts';
import { createdAt } from '../names.ts';
import { findQueue } from './queues.ts';
import { settingsOf } from './settings.ts';
import { type RunTags, readTags } from './tags.ts';

const LOOKUPS = 3;
const LOOKUP_SECONDS = 30;

/**
 * Shortest time between two readings of a run's tags by one worker, in milliseconds: of AWS, which
 * allows 30 such calls a second per account. Many workers read less often, so that all of a run's
 * make ten calls a second.
 */
const READ_MS = 10_000;
const READ_MS_EACH = 100;

/** The same for a run whose slow inputs run a second time at its end. */
const READ_HEDGED_MS = 2_000;

/** The same of a server: about a hundred calls a second in all, or one of each worker. */
const READ_ON_SERVER_MS = 100;
const READ_ON_SERVER_MS_EACH = 10;
const READ_ON_SERVER_MOST_MS = 1_000;

/** Times that a worker looks, in each such interval, whether a reading is due. */
export const LOOKS = 4;

/** Longest time from a reading that is due to a worker's last start by the one before it. */
const SOON_ON_SERVER_MS = 250;
const SOON_MS = 1_500;

/** Lookups that are closer together than this count as one. */
const APART_SECONDS = 10;
const YOUNG_SECONDS = 120;

/** Lookups that are further apart than this are not of one absence. */
const FORGET_SECONDS = 60;

/** Whether a chunk's last lookup of its run's queue is too old to count. */
export function isOldLookup({ cause, last }: Stall, now: number): boolean {
  return cause === 'run' && now - last > FORGET_SECONDS * 1000;
}

/** A worker's view of a run: its queue exists, seems to be gone, or is gone for certain. */
export type RunState = 'on' | 'unsure' | 'over';

/** What an operator has set for a run while it goes on. */
export interface RunControl {
  /** @default the bounds that its chunks carry */
  flow?: RunTags['flow'];
  /** Time from which its lanes may be used, in milliseconds since 1970. @default at once */
  lanesFrom?: number | undefined;
  paused: boolean;
  /** Whether the run is about to be cancelled: its chunks are dropped. @default false */
  ending?: boolean;
  /** Deadline of the run, in milliseconds since 1970. @default the chunk's */
  expiresAt?: number | undefined;
  /** The share of inputs that must fail for the run to pause itself. @default it never does */
  pauseWhenFailing?: FailingText | undefined;
  /** When the run paused itself, in milliseconds since 1970. @default it has not */
  outageSince?: number | undefined;
  /** Inputs that kill workers, and have their results. @default none */
  condemned?: readonly number[] | undefined;
  /** Milliseconds after which an input is run a second time. @default never */
  hedgeMs?: number | undefined;
  /** Number of times that those of a run with bounds are sent to other lanes, beyond the first. */
  hedgeRound?: number | undefined;
  /** Why nobody knows yet what was set: AWS throttled the first reading. Nothing starts in a lane. */
  unread?: Error | undefined;
}

const NOTHING_SET: RunControl = { paused: false };

/** The fields of a chunk that identify its run. */
type OfRun = Pick<
  Chunk,
  'runId' | 'resultQueueUrl' | 'results' | 'stalled' | 'workers' | 'hedge' | 'flow'
>;

/**
 * A worker's view of the runs that it works for: whether they are over, and what was set for them.
 *
 * A run is over when its result queue is gone. SQS may report a queue as missing if it has only
 * just been created, or for a moment. So a run counts as over only if three lookups over 30 s agree
 * and the run is older than two minutes. Another worker's lookups count too, as the chunk carries
 * them. A queue that was found is remembered for a while. Denied access is an error, never `over`.
 */
export class RunQueues {
  readonly #sqs: SQSClient;
  readonly #onServer: boolean;
  readonly #there = new Map<string, { at: number; control: RunControl }>();
  readonly #missing = new Map<string, { since: number; last: number; lookups: number }>();

  /** @param onServer whether SQS is a Fanfold server and not AWS */
  constructor(sqs: SQSClient, onServer = false) {
    this.#sqs = sqs;
    this.#onServer = onServer;
  }

  /** Looks the queue up, unless that was done a short while ago. */
  async state(run: OfRun, maxAgeMs = this.intervalMs(run)): Promise<RunState> {
    const { resultQueueUrl: url } = run;
    const known = this.#there.get(url);
    if (known !== undefined && performance.now() - known.at < maxAgeMs) return 'on';
    const control = await this.#read(run).catch(async (unread: unknown) => {
      // Many runs or workers at once may exceed the rate of such calls: what was read last counts for
      // longer. At first, it is enough to know that the queue exists.
      if (!isThrottled(unread)) throw unread;
      if (known !== undefined) return known.control;
      const exists = await this.#exists(url).catch((error: unknown) => {
        // Machines may only read tags.
        throw isDenied(error) ? unread : error;
      });
      return exists ? { ...NOTHING_SET, unread } : undefined;
    });
    if (control === undefined) return this.missing(run);
    this.#remember(url, control);
    return 'on';
  }

  /** What was set for a run when it was last looked up. */
  control({ resultQueueUrl }: OfRun): RunControl {
    return this.#there.get(resultQueueUrl)?.control ?? NOTHING_SET;
  }

  /** Milliseconds for which a lookup counts. */
  intervalMs({ results, workers = 1, hedge = false }: OfRun): number {
    if (results === 'shared') return LOOKUP_SECONDS * 1000;
    if (this.#onServer) {
      const shared = Math.min(READ_ON_SERVER_MOST_MS, workers * READ_ON_SERVER_MS_EACH);
      return Math.max(READ_ON_SERVER_MS, shared);
    }
    return Math.max(hedge ? READ_HEDGED_MS : READ_MS, workers * READ_MS_EACH);
  }

  /** Longest time until all workers know of a change, in milliseconds. */
  #knownMs(run: OfRun): number {
    return this.intervalMs(run) * (1 + 1 / LOOKS) + (this.#onServer ? SOON_ON_SERVER_MS : SOON_MS);
  }

  /** Reads what was set for a run; undefined if its queue is missing. */
  async #read(run: OfRun): Promise<RunControl | undefined> {
    const { resultQueueUrl: url, results, flow: own } = run;
    try {
      // The shared queue belongs to many runs, and has none of their tags.
      if (results === 'own') {
        const tags = await readTags(this.#sqs, url);
        const { flow, outageSince } = flowNow(tags);
        const { since = undefined } = flow === 'none' ? {} : { ...flow };
        const lanesFrom = since && since + this.#knownMs(run);
        const { pausedAt = 0, expiresAt, hedgeMs, hedgeRound, pauseWhenFailing, condemned } = tags;
        const { costLimit } = settingsOf(tags);
        const ending = costLimit?.reachedUsd !== undefined && !costLimit.pauses;
        return {
          ...{ flow, outageSince, lanesFrom, paused: pausedAt > 0, ending },
          ...{ expiresAt, hedgeMs, hedgeRound, pauseWhenFailing, condemned },
        };
      }
    } catch (error) {
      if (isMissingQueue(error)) return undefined;
      // Machines may not read tags in a deployment of an older version, which knows no bounds.
      if (!isDenied(error) || own !== undefined) throw error;
    }
    return (await this.#exists(url)) ? NOTHING_SET : undefined;
  }

  async #exists(url: string): Promise<boolean> {
    return (await findQueue(this.#sqs, url.slice(url.lastIndexOf('/') + 1))) !== undefined;
  }

  /** Records that a call found no queue, and returns the run's state. */
  missing({ runId, resultQueueUrl: url, stalled }: OfRun): RunState {
    const now = serviceNow(this.#sqs);
    this.#there.delete(url);
    let known = this.#missing.get(url);
    if (known === undefined || now - known.last > FORGET_SECONDS * 1000) {
      known = { since: now, last: 0, lookups: 0 };
    }
    if (now - known.last >= APART_SECONDS * 1000) {
      known.last = now;
      known.lookups++;
    }
    if (stalled?.cause === 'run' && !isOldLookup(stalled, now)) {
      known.since = Math.min(known.since, stalled.since);
      known.lookups = Math.max(known.lookups, stalled.hops + 1);
    }
    this.#missing.set(url, known);
    const born = createdAt(runId);
    const young = born !== undefined && now - born < YOUNG_SECONDS * 1000;
    const sure = known.lookups >= LOOKUPS && now - known.since >= LOOKUP_SECONDS * 1000;
    return sure && !young ? 'over' : 'unsure';
  }

  #remember(queueUrl: string, control: RunControl): void {
    this.#missing.delete(queueUrl);
    // A long-lived worker handles many runs, so old entries are dropped.
    if (this.#there.size >= 1000) this.#there.clear();
    if (this.#missing.size >= 1000) this.#missing.clear();
    const at = control.unread ? Number.NEGATIVE_INFINITY : performance.now();
    this.#there.set(queueUrl, { at, control });
  }
}

/** The flow of a run, which is another one during an outage. */
function flowNow({ flow, outage, pauseWhenFailing }: RunTags) {
  if (outage === undefined) return { flow };
  // Chunks from the outage carry its flow, so its end must say that there is none.
  if (outage === 'none') return { flow: flow ?? ('none' as const) };
  const own = flow === 'none' ? undefined : flow?.rate;
  return { flow: probingFlow(pauseWhenFailing, own), outageSince: outage.since };
}
