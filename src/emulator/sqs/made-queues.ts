import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  QueueNameExists,
  SetQueueAttributesCommand,
  type SQSClient,
  SQSServiceException,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import { createSqsClient } from './client.ts';
import { isObject } from './engine/json-value.ts';
import { checkKeys, wrong } from './options.ts';
import type { Sqs } from './sqs.ts';

/** A queue that a server creates when it starts. */
export interface QueueSetup {
  /** A name that ends with `.fifo` makes it a FIFO queue. */
  readonly name: string;
  /**
   * As in CreateQueue; numbers, booleans and, for policies, objects are accepted as well.
   * @default SQS's own
   */
  readonly attributes?: Readonly<Record<string, string | number | boolean | object>>;
  /** Tags of the queue. @default none */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * The destination of messages received too often: another queue of the server, by name.
   * @default none
   */
  readonly deadLetterQueue?: { readonly name: string; readonly maxReceiveCount: number };
  /** Region of the queue. @default the server's own */
  readonly region?: string;
  /** Account of the queue. @default the server's own */
  readonly accountId?: string;
}

/**
 * Creates a server's first queues. Queues that exist already, in a folder, keep their messages and
 * get the given attributes and tags.
 *
 * @throws FanfoldError `BadOption`, which names the queue that is wrong, and the reason
 */
export async function makeQueues(sqs: Sqs, queues: readonly (string | QueueSetup)[]) {
  if (!Array.isArray(queues)) throw wrong('queues', 'a list of names and objects', queues);
  const setups = queues.map((queue, index) => {
    const at = `queues[${index}]`;
    const setup: QueueSetup = typeof queue === 'string' ? { name: queue } : queue;
    checkSetup(setup, at);
    return { setup, at: `${at} ("${setup.name}")`, client: clientOf(sqs, setup) };
  });
  const seen = new Set<string>();
  for (const { setup, at } of setups) {
    const { name, accountId = sqs.accountId, region = sqs.region } = setup;
    const key = JSON.stringify([name, accountId, region]);
    // Either the settings of one would be lost, or another name was meant.
    if (seen.has(key)) {
      throw new FanfoldError(
        'BadOption',
        `${at}: another queue has this name. Rename one of them.`,
      );
    }
    seen.add(key);
  }
  // In two passes, since a dead-letter queue may come after its sources.
  for (const { setup, at, client } of setups) await withPlace(at, () => make(client, setup));
  for (const { setup, at, client } of setups) {
    if (!setup.deadLetterQueue) continue;
    await withPlace(`${at}.deadLetterQueue`, () => redrive(client, setup));
  }
}

function clientOf(sqs: Sqs, { region, accountId }: QueueSetup): SQSClient {
  return createSqsClient(sqs, {
    ...(region === undefined ? {} : { region }),
    ...(accountId === undefined
      ? {}
      : { credentials: { accessKeyId: accountId, secretAccessKey: 'none' } }),
  });
}

async function make(client: SQSClient, { name, attributes = {}, tags = {} }: QueueSetup) {
  const Attributes = {
    ...(name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}),
    ...textsOf(attributes),
  };
  try {
    await client.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  } catch (error) {
    if (!(error instanceof QueueNameExists)) throw error;
    await client.send(new SetQueueAttributesCommand({ QueueUrl: name, Attributes }));
  }
  if (Object.keys(tags).length === 0) return;
  await client.send(new TagQueueCommand({ QueueUrl: name, Tags: { ...tags } }));
}

async function redrive(client: SQSClient, { name, deadLetterQueue }: QueueSetup) {
  if (deadLetterQueue === undefined) return;
  const { name: dead, maxReceiveCount } = deadLetterQueue;
  const asked = new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ['QueueArn'] });
  const deadLetterTargetArn = (await client.send(asked)).Attributes?.QueueArn;
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn, maxReceiveCount });
  await client.send(
    new SetQueueAttributesCommand({ QueueUrl: name, Attributes: { RedrivePolicy } }),
  );
}

function textsOf(attributes: NonNullable<QueueSetup['attributes']>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      name,
      typeof value === 'object' ? JSON.stringify(value) : String(value),
    ]),
  );
}

/** Names the queue in the error when SQS refuses a request. */
async function withPlace(at: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof SQSServiceException)) throw error;
    throw new FanfoldError('BadOption', `${at}: ${error.message}`, { cause: error });
  }
}

const KEYS = ['name', 'attributes', 'tags', 'deadLetterQueue', 'region', 'accountId'];

function checkSetup(setup: unknown, at: string): asserts setup is QueueSetup {
  if (!isObject(setup)) throw wrong(at, 'a name, or an object with a `name`', setup);
  checkKeys(setup, KEYS, at);
  const { name, attributes = {}, tags = {}, deadLetterQueue, region, accountId } = setup;
  if (typeof name !== 'string' || name === '') throw wrong(`${at}.name`, 'a string', name);
  if (!isObject(attributes)) throw wrong(`${at}.attributes`, 'an object', attributes);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null)
      throw wrong(`${at}.attributes.${key}`, 'a string, number or boolean', value);
  }
  if (!isObject(tags)) throw wrong(`${at}.tags`, 'an object of strings', tags);
  for (const [key, value] of Object.entries(tags)) {
    if (typeof value !== 'string') throw wrong(`${at}.tags.${key}`, 'a string', value);
  }
  if (region !== undefined && typeof region !== 'string') {
    throw wrong(`${at}.region`, 'a string such as "us-east-1"', region);
  }
  if (accountId !== undefined && !(typeof accountId === 'string' && /^\d{12}$/.test(accountId))) {
    throw wrong(`${at}.accountId`, 'a string of 12 digits', accountId);
  }
  if (deadLetterQueue !== undefined) checkDeadLetterQueue(deadLetterQueue, `${at}.deadLetterQueue`);
}

function checkDeadLetterQueue(given: unknown, at: string): void {
  if (!isObject(given)) throw wrong(at, 'an object with `name` and `maxReceiveCount`', given);
  checkKeys(given, ['name', 'maxReceiveCount'], at);
  const { name, maxReceiveCount } = given;
  if (typeof name !== 'string') throw wrong(`${at}.name`, 'a string', name);
  if (Number.isInteger(maxReceiveCount)) return;
  throw wrong(`${at}.maxReceiveCount`, 'a whole number', maxReceiveCount);
}
