import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  QueueNameExists,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Names } from './names.ts';
import { findQueue, resultQueueOf } from './queues.ts';

/** 14 days, SQS's longest: a run's results outlive any collector. */
const RETENTION_SECONDS = 1_209_600;

/** For who receives without saying how long it takes: a collector says so itself. */
const RESULT_VISIBILITY_SECONDS = 300;

/** Makes the queue that carries one run's results, with its tags, or finds it. */
export async function createRunQueue(
  sqs: SQSClient,
  names: Names,
  runId: string,
  tags: Record<string, string>,
): Promise<string> {
  const name = names.run(runId);
  // A queue that is there may have other attributes: creating it again with ours would be an error.
  const found = await findQueue(sqs, name);
  if (found !== undefined) return found;
  const protection = await protectionOf(sqs, names);
  const create = new CreateQueueCommand({
    QueueName: name,
    tags,
    Attributes: {
      MessageRetentionPeriod: String(RETENTION_SECONDS),
      VisibilityTimeout: String(RESULT_VISIBILITY_SECONDS),
      ReceiveMessageWaitTimeSeconds: '20',
      ...protection.encryption,
      ...policyOf(protection, names, name),
    },
  });
  try {
    return (await sqs.send(create)).QueueUrl ?? '';
  } catch (error) {
    // Another page, tried again, may have made it with what the result queue had a moment before.
    const made = error instanceof QueueNameExists ? await findQueue(sqs, name) : undefined;
    if (made === undefined) throw error;
    return made;
  }
}

/** How a deployment's result queue is protected, as its runs' own queues then are, too. */
interface Protection {
  encryption: Record<string, string>;
  policy: string | undefined;
  /** The result queue's, which its policy names. */
  arn: string;
  askedAt: number;
}

const ENCRYPTION = [
  'KmsMasterKeyId',
  'KmsDataKeyReusePeriodSeconds',
  'SqsManagedSseEnabled',
] as const;

/** What was asked holds for so long, in milliseconds: a deployment may be changed. */
const PROTECTION_MS = 300_000;

const protections = new WeakMap<SQSClient, Map<string, Protection>>();

async function protectionOf(sqs: SQSClient, names: Names): Promise<Protection> {
  const known = protections.get(sqs) ?? new Map<string, Protection>();
  protections.set(sqs, known);
  const last = known.get(names.results);
  if (last !== undefined && Date.now() - last.askedAt < PROTECTION_MS) return last;
  const protection = await askProtection(sqs, names);
  known.set(names.results, protection);
  return protection;
}

async function askProtection(sqs: SQSClient, names: Names): Promise<Protection> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: await resultQueueOf(sqs, names),
      AttributeNames: ['QueueArn', ...ENCRYPTION, 'Policy'],
    }),
  );
  const { QueueArn = '', Policy, SqsManagedSseEnabled, KmsMasterKeyId, ...rest } = Attributes;
  const { KmsDataKeyReusePeriodSeconds } = rest;
  // SQS takes one kind of encryption or the other.
  const encryption = KmsMasterKeyId
    ? { KmsMasterKeyId, KmsDataKeyReusePeriodSeconds }
    : { SqsManagedSseEnabled };
  const policy = Policy || undefined;
  return { encryption: given(encryption), policy, arn: QueueArn, askedAt: Date.now() };
}

/** A policy that is about another queue of the same deployment. */
function policyOf({ policy, arn }: Protection, { results }: Names, name: string) {
  if (policy === undefined) return {};
  const own = arn.slice(0, -results.length) + name;
  return { Policy: policy.replaceAll(JSON.stringify(arn), JSON.stringify(own)) };
}

function given(attributes: Record<string, string | undefined>): Record<string, string> {
  const entries = Object.entries(attributes).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Record<string, string>;
}
