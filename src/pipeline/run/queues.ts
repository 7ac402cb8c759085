import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { retry, wait } from '../../retry.ts';
import { isMissingQueue, isTransient } from '../call-errors.ts';
import type { Names } from '../names.ts';
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

/** Lookups before an expected queue counts as missing, and their interval in milliseconds. */
const CONFIRMING_LOOKUPS = 3;
const SURE_MS = 1_000;

/** A queue's URL by its name; undefined if several lookups agree: SQS may miss one for a moment. */
export async function findExpectedQueue(sqs: SQSClient, name: string): Promise<string | undefined> {
  for (let lookup = 1; ; lookup++) {
    const url = await findQueue(sqs, name);
    if (url !== undefined || lookup === CONFIRMING_LOOKUPS) return url;
    await wait(SURE_MS);
  }
}

/** 14 days, the longest that SQS allows: a run's results outlive any collector. */
const RETENTION_SECONDS = 1_209_600;

/** For receivers that set no visibility timeout. A collector sets its own. */
const RESULT_VISIBILITY_SECONDS = 300;

/** Creates the queue for one run's results, with its tags, or finds it. */
export async function createRunQueue(
  sqs: SQSClient,
  names: Names,
  runId: string,
  tags: RunTags,
): Promise<string> {
  const name = names.run(runId);
  // An existing queue may have other attributes, set by its deployment: creating it again with
  // these would fail.
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

/** Attributes that guard a queue: its policy and its encryption. */
const GUARDS = [
  'QueueArn',
  'Policy',
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
] as const;

/** Cached guards of each deployment's result queue. */
const known = new WeakMap<SQSClient, Map<string, Guards>>();

interface Guards {
  attributes: Partial<Record<string, string>>;
  /** By `performance.now`. */
  askedAt: number;
}

/** Lifetime of cached guards, in milliseconds: an update of the stack may change them. */
const GUARDS_MS = 60_000;

/** Guards of a run's queue: those of its deployment's result queue, which the stack has made. */
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
    // A queue has only one of the two kinds of encryption.
    SqsManagedSseEnabled: KmsMasterKeyId ? undefined : more.SqsManagedSseEnabled,
  };
  return Object.fromEntries(
    Object.entries(guards).filter((guard): guard is [string, string] => Boolean(guard[1])),
  );
}

/**
 * The statements of a queue's policy that refuse calls without TLS, for another queue. Other
 * statements, such as a right to read all results, are meant for the original queue only.
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

/** Tries of a deletion; the SDK tries each a few times. */
const DELETE_TRIES = 5;

/** Deletes a run's queue. Errors are ignored: it may be gone already, and otherwise expires. */
export async function deleteQueue(sqs: SQSClient, QueueUrl: string): Promise<void> {
  await removeQueue(sqs, QueueUrl).catch(() => {});
}

/** Deletes a run's queue, if it exists. @throws errors of SQS, such as denied access */
export async function removeQueue(sqs: SQSClient, QueueUrl: string): Promise<void> {
  const deletion = retry(() => sqs.send(new DeleteQueueCommand({ QueueUrl })), {
    while: (error, failures) => failures < DELETE_TRIES && isTransient(error),
  });
  await deletion.catch((error: unknown) => {
    if (!isMissingQueue(error)) throw error;
  });
}
