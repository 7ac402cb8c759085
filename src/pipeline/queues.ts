import {
  CreateQueueCommand,
  GetQueueUrlCommand,
  QueueDoesNotExist,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { createdAt } from './names.ts';

/** Whether SQS said that the queue is not there. */
export function isMissingQueue(error: unknown): boolean {
  return error instanceof QueueDoesNotExist;
}

/** A queue's URL by its name; undefined when there is no such queue. */
export async function findQueue(sqs: SQSClient, name: string): Promise<string | undefined> {
  try {
    return (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl;
  } catch (error) {
    if (isMissingQueue(error)) return undefined;
    throw error;
  }
}

/** 14 days, SQS's longest: a run's results outlive any collector. */
const RETENTION_SECONDS = 1_209_600;

/** How long a collector's consumer may take over what it received before SQS offers it again. */
const RESULT_VISIBILITY_SECONDS = 300;

/** Makes the queue that carries one run's results, with its tags, or finds it. */
export async function createRunQueue(
  sqs: SQSClient,
  name: string,
  tags: Record<string, string>,
): Promise<string> {
  // A queue that is there may have other attributes, given by its deployment: creating it again
  // with ours would be an error.
  const found = await findQueue(sqs, name);
  if (found !== undefined) return found;
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      tags,
      Attributes: {
        MessageRetentionPeriod: String(RETENTION_SECONDS),
        VisibilityTimeout: String(RESULT_VISIBILITY_SECONDS),
        ReceiveMessageWaitTimeSeconds: '20',
      },
    }),
  );
  return QueueUrl ?? '';
}

const LOOK_SECONDS = 30;
const YOUNG_SECONDS = 120;

/** What a worker knows of a run's queue: it is there; it seems to be gone; it is gone for certain. */
export type RunState = 'on' | 'unsure' | 'over';

/**
 * Which runs are over, as far as a worker can tell: one whose result queue is gone. SQS may say
 * so of a queue that it has only just made, or for a moment; so "gone" is believed only when three
 * looks over 30 s agree and the run is older than two minutes. That it is there is remembered for
 * 30 s. Denied access is an error, never "over".
 */
export class RunQueues {
  readonly #sqs: SQSClient;
  readonly #there = new Map<string, number>();
  readonly #missing = new Map<string, { since: number; last: number; looks: number }>();

  constructor(sqs: SQSClient) {
    this.#sqs = sqs;
  }

  /** Looks, unless it looked a short while ago. */
  async state(runId: string, queueUrl: string): Promise<RunState> {
    const seen = this.#there.get(queueUrl);
    if (seen !== undefined && Date.now() - seen < LOOK_SECONDS * 1000) return 'on';
    const name = queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
    if ((await findQueue(this.#sqs, name)) === undefined) return this.missing(runId, queueUrl);
    this.#remember(queueUrl);
    return 'on';
  }

  /** Notes that a call met no queue. */
  missing(runId: string, queueUrl: string): RunState {
    const now = Date.now();
    this.#there.delete(queueUrl);
    const known = this.#missing.get(queueUrl) ?? { since: now, last: now, looks: 0 };
    known.looks++;
    known.last = now;
    this.#missing.set(queueUrl, known);
    const born = createdAt(runId);
    const young = born !== undefined && now - born < YOUNG_SECONDS * 1000;
    const sure = known.looks >= 3 && now - known.since >= LOOK_SECONDS * 1000;
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
