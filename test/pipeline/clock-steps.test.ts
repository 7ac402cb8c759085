import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { connect, defineTask } from '../../src/index.ts';
import { SteadyClock } from '../../src/stopwatch.ts';

const HOUR = 3_600_000;

/** Sets only the wall clock. */
function setClock(ms: number): void {
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + ms);
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

it.each([-HOUR, HOUR])('a clock set by %i ms changes no delay of a queue', async (ms) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
  const client = createSqsClient(new Sqs());
  const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'stepped' }));
  const send = (MessageBody: string, DelaySeconds = 0) =>
    client.send(new SendMessageCommand({ QueueUrl, MessageBody, DelaySeconds }));
  const receive = async (WaitTimeSeconds = 0) => {
    const asked = { QueueUrl, WaitTimeSeconds, MessageSystemAttributeNames: ['All' as const] };
    const { Messages = [] } = await client.send(new ReceiveMessageCommand(asked));
    return Messages[0];
  };
  await send('hidden');
  const hidden = await receive();
  const { ReceiptHandle } = hidden ?? {};
  const hide = { QueueUrl, ReceiptHandle, VisibilityTimeout: 20 };
  await client.send(new ChangeMessageVisibilityCommand(hide));
  await send('delayed', 5);
  setClock(ms);
  expect(await receive()).toBeUndefined();
  const waiting = receive(10);
  await vi.advanceTimersByTimeAsync(4_900);
  expect(await receive()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(200);
  const delayed = await waiting;
  expect(delayed?.Body).toBe('delayed');
  // The expected value uses the current wall clock.
  const ageMs = Date.now() - Number(delayed?.Attributes?.SentTimestamp);
  expect(ageMs).toBeGreaterThanOrEqual(5_000);
  expect(ageMs).toBeLessThan(7_000);
  await vi.advanceTimersByTimeAsync(14_800);
  expect(await receive()).toBeUndefined();
  await vi.advanceTimersByTimeAsync(200);
  expect((await receive())?.Body).toBe('hidden');
});

it.each([-HOUR, HOUR])('a clock set by %i ms prevents no further attempts', async (ms) => {
  const stepper = defineTask({
    name: 'stepper',
    backoffBaseSeconds: 1,
    run(input: number, { attempt }) {
      if (input === 0 && attempt === 1) setClock(ms);
      if (attempt < 3) throw new Error('to be tried again');
      return attempt;
    },
  });
  await using fanfold = await connect({ workers: 2 });
  const startedAt = performance.now();
  const results = await Array.fromAsync(fanfold.map(stepper, [0, 1, 2, 3]));
  expect(results.map((result) => Object(result).output)).toEqual([3, 3, 3, 3]);
  expect(performance.now() - startedAt).toBeLessThan(30_000);
});

it.each([
  ['is set forward', HOUR, 0],
  ['is set back', -HOUR, 0],
  ['is ahead after a sleep of the machine', HOUR, HOUR],
  ['was set back while the machine slept', 0, HOUR],
  ['was set forward while the machine slept', 3 * HOUR, HOUR],
])('a steady clock measures the elapsed time when the clock %s', (_, setMs, sleptMs) => {
  const machine = { up: 1_000, awake: 0 };
  const clock = new SteadyClock({ uptime: () => machine.up, awakeMs: () => machine.awake });
  const startedAt = clock.ms;
  setClock(setMs);
  machine.awake += 1_000;
  machine.up += 1 + sleptMs / 1000;
  for (let time = 0; time < 2; time++) {
    expect(clock.ms - startedAt - sleptMs).toBeGreaterThan(-1);
    expect(clock.ms - startedAt - sleptMs).toBeLessThan(1_000);
  }
});
