import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, openStore, Sqs } from '../../../../src/emulator/sqs/index.ts';
import { testFolder } from './durable.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const NOW = Date.parse('2026-11-30T12:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setInterval', 'clearInterval'], now: NOW });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Sets only the wall clock. */
function setClock(time: number): void {
  vi.setSystemTime(time);
}

/** Runs an SQS on a folder's store, and closes it. */
async function runOn(
  folder: string,
  act: (client: SQSClient, sqs: Sqs, QueueUrl: string) => Promise<void>,
): Promise<void> {
  const sqs = new Sqs({ store: openStore(folder) });
  const client = createSqsClient(sqs);
  const input = { QueueName: 'q', Attributes: { MessageRetentionPeriod: '345600' } };
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand(input));
  try {
    await act(client, sqs, QueueUrl);
  } finally {
    await sqs.close();
  }
}

/** Sends a message that is received for 30 s, one that is delayed for 60 s, and one that waits. */
async function sendThree(client: SQSClient, QueueUrl: string): Promise<void> {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'held' }));
  await client.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 30 }));
  const delayed = { QueueUrl, MessageBody: 'delayed', DelaySeconds: 60 };
  await client.send(new SendMessageCommand(delayed));
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'waiting' }));
}

function statesOf(sqs: Sqs): Record<string, string> {
  return Object.fromEntries(sqs.peek('q').map(({ body, state }) => [body, state]));
}

function expectAges(sqs: Sqs, ms: number): void {
  for (const { sentAt } of sqs.peek('q')) {
    expect(Math.abs(Date.now() - sentAt - ms)).toBeLessThanOrEqual(2 * SECOND);
  }
}

const HIDDEN = { held: 'inFlight', delayed: 'delayed', waiting: 'visible' };
const SHOWN = { held: 'visible', delayed: 'visible', waiting: 'visible' };

it.each([
  ['in 1970', 0],
  ['an hour behind', NOW - HOUR],
])('a store that is opened %s hides its messages for their remaining time', async (_, wrong) => {
  const folder = await testFolder();
  await runOn(folder, async (client, sqs, QueueUrl) => {
    await sendThree(client, QueueUrl);
    vi.advanceTimersByTime(10 * SECOND);
    expect(statesOf(sqs)).toEqual(HIDDEN);
  });
  setClock(wrong);
  await runOn(folder, async (_client, sqs) => {
    expect(statesOf(sqs)).toEqual(HIDDEN);
    vi.advanceTimersByTime(31 * SECOND);
    expect(statesOf(sqs)).toEqual({ ...HIDDEN, held: 'visible' });
    vi.advanceTimersByTime(30 * SECOND);
    expect(statesOf(sqs)).toEqual(SHOWN);
  });
});

it('a store written with a clock three days ahead keeps its delays once the clock is right', async () => {
  const folder = await testFolder();
  setClock(NOW + 3 * DAY);
  await runOn(folder, async (client, sqs, QueueUrl) => {
    await sendThree(client, QueueUrl);
    setClock(NOW);
    expectAges(sqs, 0);
  });
  setClock(NOW + 5 * SECOND);
  await runOn(folder, async (client, sqs, QueueUrl) => {
    expect(statesOf(sqs)).toEqual(HIDDEN);
    vi.advanceTimersByTime(61 * SECOND);
    expect(statesOf(sqs)).toEqual(SHOWN);
    expectAges(sqs, 61 * SECOND);
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'new' }));
    // Retention lasts its full time, whatever clock a message was sent with.
    vi.advanceTimersByTime(4 * DAY - 120 * SECOND);
    expect(sqs.peek('q')).toHaveLength(4);
    vi.advanceTimersByTime(60 * SECOND);
    expect(sqs.peek('q').map(({ body }) => body)).toEqual(['new']);
  });
});

it.each(['closed', 'killed'])(
  'a store opened in 1970 loses nothing when the clock has been corrected and it is %s',
  async (end) => {
    const folder = await testFolder();
    setClock(0);
    const sqs = new Sqs({ store: openStore(folder) });
    const client = createSqsClient(sqs);
    const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: 'q' }));
    await sendThree(client, QueueUrl);
    setClock(NOW);
    // No request arrives any more, but it notices within a minute.
    if (end === 'killed') await vi.advanceTimersByTimeAsync(60 * SECOND);
    const seen = Date.now();
    if (end === 'killed') await vi.waitUntil(() => momentOf(folder).wall >= NOW);
    else await sqs.close();
    const copy = await testFolder();
    cpSync(folder, copy, { recursive: true });
    await sqs.close();
    setClock(seen + HOUR);
    await runOn(copy, async (_client, again) => {
      expect(statesOf(again)).toEqual(SHOWN);
      expectAges(again, Date.now() - NOW);
    });
  },
);

it('a start with a wrong clock between two with a right one changes nothing', async () => {
  const folder = await testFolder();
  await runOn(folder, (client, _sqs, QueueUrl) => sendThree(client, QueueUrl));
  setClock(0);
  await runOn(folder, async (client, _sqs, QueueUrl) => {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'in 1970' }));
  });
  setClock(NOW + DAY);
  await runOn(folder, async (_client, sqs) => {
    expect(statesOf(sqs)).toEqual({ ...SHOWN, 'in 1970': 'visible' });
    expectAges(sqs, DAY);
  });
});

it('the time that a store was closed counts if the clock is right', async () => {
  const folder = await testFolder();
  await runOn(folder, (client, _sqs, QueueUrl) => sendThree(client, QueueUrl));
  setClock(NOW + 40 * SECOND);
  await runOn(folder, async (_client, sqs) => {
    expect(statesOf(sqs)).toEqual({ ...HIDDEN, held: 'visible' });
    expectAges(sqs, 40 * SECOND);
  });
  setClock(NOW + 4 * DAY + SECOND);
  await runOn(folder, async (_client, sqs) => {
    expect(sqs.peek('q')).toEqual([]);
  });
});

function momentOf(folder: string): { wall: number } {
  const sql = new DatabaseSync(join(folder, 'queues.sqlite'), { readOnly: true });
  try {
    const row = sql.prepare("SELECT value FROM about WHERE key = 'moment'").get();
    return { wall: Number(String(row?.value).split(' ')[1]) };
  } finally {
    sql.close();
  }
}
