import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import { retry, wait } from '../../retry.ts';
import { isMissingQueue, isTransient } from '../call-errors.ts';
import type { Chunk, Stall } from '../messages/chunk.ts';
import { createdAt, type Names } from '../names.ts';
import { type RunTags, tagTexts } from './tags.ts';

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

/** 14 days, SQS's longest: a run's results outlive any collector. */
const RETENTION_SECONDS = 1_209_600;

/** For who receives without saying how long it takes: a collector says so itself. */
const RESULT_VISIBILITY_SECONDS = 300;

/** Makes the queue that carries one run's results, with its tags, or finds it. */
export async function createRunQueue(
  sqs: SQSClient,
  names: Names,
  runId: string,
  tags: RunTags,
): Promise<string> {
  const name = names.run(runId);
  // A queue that is there may have other attributes, given by its deployment: creating it again
  // with ours would be an error.
  const found = await findQueue(sqs, name);
  if (found !== undefined) return found;
  const { QueueUrl } = await sqs.send(
    new CreateQueueCommand({
      QueueName: name,
      tags: tagTexts(tags),
      Attributes: {
        ...(await guardsOf(sqs, names, name)),
        MessageRetentionPeriod: String(RETENTION_SECONDS),
        VisibilityTimeout: String(RESULT_VISIBILITY_SECONDS),
        ReceiveMessageWaitTimeSeconds: '20',
      },
    }),
  );
  return QueueUrl ?? '';
}

/** How a queue is guarded: its policy and its encryption. */
const GUARDS = [
  'QueueArn',
  'Policy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
] as const;

/** What each deployment's result queue has of them, once it was asked. */
const known = new WeakMap<SQSClient, Map<string, Guards>>();

interface Guards {
  attributes: Partial<Record<string, string>>;
  /** In milliseconds since 1970. */
  askedAt: number;
}

/** An update of the stack may change them, in milliseconds. */
const GUARDS_MS = 60_000;

/** A run's queue is guarded as its deployment's result queue is, which the stack has made. */
async function guardsOf(
  sqs: SQSClient,
  { results }: Names,
  name: string,
): Promise<Record<string, string>> {
  const byQueue = known.get(sqs) ?? new Map<string, Guards>();
  known.set(sqs, byQueue);
  let guarded = byQueue.get(results);
  if (guarded === undefined || performance.now() - guarded.askedAt > GUARDS_MS) {
    guarded = { attributes: await attributesOf(sqs, results), askedAt: performance.now() };
    byQueue.set(results, guarded);
  }
  const { QueueArn = '', Policy, KmsMasterKeyId, ...more } = guarded.attributes;
  const arn = `${QueueArn.slice(0, QueueArn.length - results.length)}${name}`;
  const guards = {
    Policy: Policy && tlsOnly(Policy, arn),
    KmsMasterKeyId,
    KmsDataKeyReusePeriodSeconds: KmsMasterKeyId && more.KmsDataKeyReusePeriodSeconds,
    // Of the two ways to be encrypted a queue has one.
    SqsManagedSseEnabled: KmsMasterKeyId ? undefined : more.SqsManagedSseEnabled,
  };
  return Object.fromEntries(
    Object.entries(guards).filter((guard): guard is [string, string] => Boolean(guard[1])),
  );
}

/**
 * The part of a queue's policy that refuses calls without TLS, for another queue. Whatever else the
 * deployment's owner has added to it, such as a right to read all results, is meant for that queue.
 */
function tlsOnly(policy: string, queueArn: string): string | undefined {
  const { Version, Statement = [] } = JSON.parse(policy) as Policy;
  const denials = [Statement]
    .flat()
    .filter(
      ({ Effect, Condition }) =>
        Effect === 'Deny' && String(Condition?.Bool?.['aws:SecureTransport']) === 'false',
    )
    .map((statement) => ({ ...statement, Resource: queueArn }));
  return denials.length > 0 ? JSON.stringify({ Version, Statement: denials }) : undefined;
}

interface Policy {
  Version?: string;
  Statement?: Statement | Statement[];
}

interface Statement {
  Effect?: string;
  Condition?: { Bool?: Record<string, unknown> };
}

async function attributesOf(
  sqs: SQSClient,
  name: string,
): Promise<Partial<Record<string, string>>> {
  const QueueUrl = await findQueue(sqs, name);
  if (QueueUrl === undefined) return {};
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...GUARDS] }),
  );
  return Attributes;
}

/** Tries at a deletion, each of which the SDK tries a few times. */
const DELETE_TRIES = 5;

/** Deletes a run's queue. It may be gone already, and one that stays expires by itself. */
export async function deleteQueue(sqs: SQSClient, QueueUrl: string): Promise<void> {
  const deletion = retry(() => sqs.send(new DeleteQueueCommand({ QueueUrl })), {
    while: (error, failures) => failures < DELETE_TRIES && isTransient(error),
  });
  await deletion.catch(() => {});
}

const LOOKS = 3;
const LOOK_SECONDS = 30;
/** Looks that are closer see the same moment. */
const APART_SECONDS = 10;
const YOUNG_SECONDS = 120;

/** Looks that are further apart are not of one absence. */
const FORGET_SECONDS = 60;

/** Whether a chunk's look for its run's queue is too long ago to tell anything. */
export function isOldLook({ cause, last }: Stall, now: number): boolean {
  return cause === 'run' && now - last > FORGET_SECONDS * 1000;
}

/** What a worker knows of a run's queue: it is there; it seems to be gone; it is gone for certain. */
export type RunState = 'on' | 'unsure' | 'over';

/** The part of a chunk that says which run it is of. */
type OfRun = Pick<Chunk, 'runId' | 'resultQueueUrl' | 'stalled'>;

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
    if (seen !== undefined && performance.now() - seen < LOOK_SECONDS * 1000) return 'on';
    const name = url.slice(url.lastIndexOf('/') + 1);
    if ((await findQueue(this.#sqs, name)) === undefined) return this.missing(run);
    this.#remember(url);
    return 'on';
  }

  /** Notes that a call met no queue. */
  missing({ runId, resultQueueUrl: url, stalled }: OfRun): RunState {
    const now = serviceNow(this.#sqs);
    this.#there.delete(url);
    let known = this.#missing.get(url);
    if (known === undefined || now - known.last > FORGET_SECONDS * 1000) {
      known = { since: now, last: 0, looks: 0 };
    }
    if (now - known.last >= APART_SECONDS * 1000) {
      known.last = now;
      known.looks++;
    }
    if (stalled?.cause === 'run' && !isOldLook(stalled, now)) {
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
    this.#there.set(queueUrl, performance.now());
  }
}
