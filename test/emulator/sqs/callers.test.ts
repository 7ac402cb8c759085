import { CreateQueueCommand, ListQueuesCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { claimedQueues } from '../../../src/emulator/sqs/callers.ts';
import { Accounts } from '../../../src/emulator/sqs/engine/accounts.ts';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';

const OPTIONS = {
  recreateAfterSeconds: 60,
  purgeAfterSeconds: 60,
  fifoMemorySeconds: 300,
  bodyDigests: true,
  keeper: undefined,
  onQueue: undefined,
};

const { signal } = new AbortController();

function requestOf(accountId: string, region: string) {
  const authorization = `AWS4-HMAC-SHA256 Credential=${accountId}/20261130/${region}/sqs/aws4_request, SignedHeaders=host, Signature=0`;
  const url = { method: 'POST', path: '/', query: new URLSearchParams() };
  return { ...url, headers: { authorization }, body: Buffer.alloc(0), secure: false, signal };
}

it('an account is not remembered until it has a queue', () => {
  const accounts = new Accounts({ accountId: '000000000000', region: 'us-east-1' }, OPTIONS);
  const queuesOf = claimedQueues(accounts);
  for (let place = 0; place < 1_000; place++) {
    const accountId = String(place).padStart(12, '1');
    expect(queuesOf(requestOf(accountId, `r-${place}`)).withPrefix('')).toEqual([]);
  }
  expect([...accounts.all()]).toEqual([accounts.own]);
  queuesOf(requestOf('111111111111', 'eu-west-1')).create('kept', {}, 0);
  expect([...accounts.all()]).toHaveLength(2);
  expect(queuesOf(requestOf('111111111111', 'eu-west-1')).find('kept')).toBeDefined();
});

it('an account’s first queue is visible to all callers of the account, whatever they requested before', async () => {
  const sqs = new Sqs();
  const credentials = { accessKeyId: '111111111111', secretAccessKey: 'any' };
  const [one, other] = [
    createSqsClient(sqs, { credentials }),
    createSqsClient(sqs, { credentials }),
  ];
  expect((await other.send(new ListQueuesCommand({}))).QueueUrls ?? []).toEqual([]);
  await one.send(new CreateQueueCommand({ QueueName: 'first' }));
  expect((await other.send(new ListQueuesCommand({}))).QueueUrls).toHaveLength(1);
});
