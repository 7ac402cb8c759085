import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DeleteMessageCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { createSqsClient, openStore, Sqs } from '../../../../src/emulator/sqs/index.ts';
import { testFolder } from './durable.ts';

/** A store written at `WRITTEN_AT`, when a store had a row for each message's state. */
const VERSION_1 = readFileSync(join(import.meta.dirname, 'version-1.sql'), 'utf8');

const WRITTEN_AT = 1_796_023_319_526;

const URL = 'http://localhost/000000000000/jobs';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: WRITTEN_AT });
  onTestFinished(() => {
    vi.useRealTimers();
  });
});

async function folderOf(sql: string): Promise<string> {
  const folder = await testFolder();
  const path = join(folder, 'queues.sqlite');
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  chmodSync(path, 0o600);
  return folder;
}

function open(folder: string): Sqs {
  const sqs = new Sqs({ store: openStore(folder) });
  onTestFinished(() => sqs.close());
  return sqs;
}

it('a store of version 1 is read, and becomes one of version 2', async () => {
  const folder = await folderOf(VERSION_1);
  let sqs = open(folder);
  const jobs = () =>
    sqs.peek('jobs').map(({ body, state, receiveCount }) => [body, state, receiveCount]);
  const dead = () => sqs.peek('dead').map(({ body, receiveCount }) => [body, receiveCount]);
  const all = [
    ['in flight', 'inFlight', 1],
    ['delayed', 'delayed', 0],
    ['visible', 'visible', 0],
  ];
  expect(jobs()).toEqual(all);
  expect(dead()).toEqual([['dead letter', 1]]);
  await sqs.close();
  sqs = open(folder);
  expect(jobs()).toEqual(all);
  expect(dead()).toEqual([['dead letter', 1]]);
  const inFlight = { QueueUrl: URL, ReceiptHandle: '25fcd729/3/1' };
  await createSqsClient(sqs).send(new DeleteMessageCommand(inFlight));
  const { Messages: [letter] = [] } = await createSqsClient(sqs).send(
    new ReceiveMessageCommand({
      QueueUrl: 'http://localhost/000000000000/dead',
      MessageSystemAttributeNames: ['All'],
    }),
  );
  expect(letter?.Attributes).toMatchObject({
    ApproximateReceiveCount: '2',
    DeadLetterQueueSourceArn: 'arn:aws:sqs:us-east-1:000000000000:jobs',
  });
  await sqs.close();
  sqs = open(folder);
  expect(jobs()).toEqual(all.slice(1));
});

it('a changed block of states is detected', async () => {
  const folder = await folderOf(VERSION_1);
  await open(folder).close();
  const database = new DatabaseSync(join(folder, 'queues.sqlite'));
  database.exec('UPDATE blocks_2 SET states = zeroblob(length(states))');
  database.close();
  expect(() => open(folder)).toThrow(/the queue "jobs": the state of messages 0 to 31 is corrupt/);
});

it('a damaged store of version 1 is refused, and stays unchanged', async () => {
  const folder = await folderOf(
    `${VERSION_1} UPDATE states_2 SET receive_count = 7 WHERE number = 3`,
  );
  for (const _ of [1, 2]) {
    expect(() => openStore(folder)).toThrow(/is damaged: the state of message 3 is corrupt/);
  }
});

it('a store of a later version is refused', async () => {
  const folder = await folderOf(`${VERSION_1} PRAGMA user_version = 3`);
  expect(() => openStore(folder)).toThrow(/reads stores of version 1 and 2; .* version 3/);
});
