import { DeleteQueueCommand, GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../errors.ts';
import { isMissingQueue, mayPass } from './faults.ts';
import type { ChunkEnvelope, Stall } from './messages/chunk.ts';
import { createdAt, type Names } from './names.ts';
import { wait } from './send.ts';

/** A queue's URL by its name; undefined when there is no such queue. */
export async function findQueue(sqs: SQSClient, name: string): Promise<string | undefined> {
  try {
    return (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl;
  } catch (error) {
    if (isMissingQueue(error)) return undefined;
    throw error;
  }
}

/** Looks for a queue that was there, and how far they are apart, in milliseconds. */
const SURE_LOOKS = 3;
const SURE_MS = 1_000;

/** A queue's URL by its name; undefined when several looks agree: SQS may miss one for a moment. */
export async function findSurely(sqs: SQSClient, name: string): Promise<string | undefined> {
  for (let look = 1; ; look++) {
    const url = await findQueue(sqs, name);
    if (url !== undefined || look === SURE_LOOKS) return url;
    await wait(SURE_MS);
  }
}

/** The URL of the queue that a deployment's runs report to that have none of their own. */
export async function resultQueueOf(sqs: SQSClient, { name, results }: Names): Promise<string> {
  const url = await findQueue(sqs, results);
  if (url !== undefined) return url;
  throw new FanfoldError(
    'RunFailed',
    `The deployment "${name}" has no result queue: ${results} was expected.`,
  );
}

/** Tries at a deletion, each of which the SDK tries a few times. */
const DELETE_TRIES = 5;

/** Deletes a run's queue. It may be gone already, and one that stays expires by itself. */
export async function deleteQueue(sqs: SQSClient, QueueUrl: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await sqs.send(new DeleteQueueCommand({ QueueUrl }));
      return;
    } catch (error) {
      if (tries === DELETE_TRIES || !mayPass(error)) return;
      await wait(Math.random() * 100 * 2 ** tries);
    }
  }
}

const LOOKS = 3;
const LOOK_SECONDS = 30;
/** Looks that are closer see the same moment. */
const APART_SECONDS = 10;
const YOUNG_SECONDS = 120;

/** Looks that are further apart are not of one absence. */
const FORGET_SECONDS = 60;

/** Whether a chunk's look for its run's queue is too long ago to tell anything. */
export function isOldLook({ cause, last }: Stall): boolean {
  return cause === 'run' && Date.now() - last > FORGET_SECONDS * 1000;
}

/** What a worker knows of a run's queue: it is there; it seems to be gone; it is gone for certain. */
export type RunState = 'on' | 'unsure' | 'over';

/** What a chunk says of its run. */
type OfRun = Pick<ChunkEnvelope, 'runId' | 'resultQueueUrl' | 'stalled'>;

/**
 * Which runs are over, as far as a worker can tell: one whose result queue is gone. SQS may say
 * so of a queue that it has only just made, or for a moment; so "gone" is believed only when three
 * looks over 30 s agree and the run is older than two minutes. A look may have been another
 * worker's: the chunk tells of it. That the queue is there is remembered for 30 s. Denied access is
 * an error, never "over".
 */
export class RunQueues {
  readonly #sqs: SQSClient;
  readonly #there = new Map<string, number>();
  readonly #missing = new Map<string, { since: number; last: number; looks: number }>();

  constructor(sqs: SQSClient) {
    this.#sqs = sqs;
  }

  /** Looks, unless it looked a short while ago. */
  async state(run: OfRun): Promise<RunState> {
    const { resultQueueUrl: url } = run;
    const seen = this.#there.get(url);
    if (seen !== undefined && Date.now() - seen < LOOK_SECONDS * 1000) return 'on';
    const name = url.slice(url.lastIndexOf('/') + 1);
    if ((await findQueue(this.#sqs, name)) === undefined) return this.missing(run);
    this.#remember(url);
    return 'on';
  }

  /** Notes that a call met no queue. */
  missing({ runId, resultQueueUrl: url, stalled }: OfRun): RunState {
    const now = Date.now();
    this.#there.delete(url);
    let known = this.#missing.get(url);
    if (known === undefined || now - known.last > FORGET_SECONDS * 1000) {
      known = { since: now, last: 0, looks: 0 };
    }
    if (now - known.last >= APART_SECONDS * 1000) {
      known.last = now;
      known.looks++;
    }
    if (stalled?.cause === 'run' && !isOldLook(stalled)) {
      known.since = Math.min(known.since, stalled.since);
      known.looks = Math.max(known.looks, stalled.hops + 1);
    }
    this.#missing.set(url, known);
    const born = createdAt(runId);
    const young = born !== undefined && now - born < YOUNG_SECONDS * 1000;
    const sure = known.looks >= LOOKS && now - known.since >= LOOK_SECONDS * 1000;
    return sure && !young ? 'over' : 'unsure';
  }

  #remember(queueUrl: string): void {
    this.#missing.delete(queueUrl);
    // A long-lived worker meets many runs: what is old is forgotten.
    if (this.#there.size >= 1000) this.#there.clear();
    if (this.#missing.size >= 1000) this.#missing.clear();
    this.#there.set(queueUrl, Date.now());
  }
}
