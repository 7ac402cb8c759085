import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  GetQueueUrlCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTask, NonRetryableError } from '../../src/index.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import { cancelRun } from '../../src/pipeline/runs/cancel.ts';
import { collectRun } from '../../src/pipeline/runs/collect-run.ts';
import { die, runThrough, virtualDeployment, within } from './virtual-deployment.ts';

/** Attempts at each input, in seconds since the test began. */
let attempts: Map<number, number[]>;
let began: number;

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
  attempts = new Map();
  began = Date.now();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Lets time pass without timers firing, as while the thread is blocked. */
function block(ms: number): void {
  const now = performance.now.bind(performance);
  vi.setSystemTime(Date.now() + ms);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + ms);
}

function note(index: number): number {
  const times = attempts.get(index) ?? [];
  attempts.set(index, [...times, (Date.now() - began) / 1000]);
  return times.length + 1;
}

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const range = (length: number) => Array.from({ length }, (_, index) => index);
const codes = (results: { status: string; error?: { code: string } }[]) =>
  results.map(({ status, error }) => error?.code ?? status);

const echo = defineTask({
  name: 'echo',
  run: (input: number, { index }) => {
    note(index);
    return input;
  },
});
const slow = defineTask({
  name: 'slow',
  async run(seconds: number, { index }) {
    note(index);
    await sleep(seconds);
    return seconds;
  },
});
const flaky = defineTask({
  name: 'flaky',
  maxAttempts: 4,
  backoffBaseSeconds: 100,
  backoffCapSeconds: 150,
  run(failures: number, { index, attempt }) {
    expect(note(index)).toBe(attempt);
    if (failures < 0) throw new NonRetryableError('never');
    if (attempt <= failures) throw new Error(`attempt ${attempt}`);
    return attempt;
  },
});
const kills = defineTask({
  name: 'kills',
  async run(input: number, { index }) {
    note(index);
    return input === 333 ? die() : input;
  },
});

describe('retries', () => {
  it('repeat only the failed items, after a backoff, up to the last attempt, whose error is reported', async () => {
    const { deployment, startWorkers, close } = await virtualDeployment([flaky]);
    startWorkers();
    const run = new Run(deployment, 'flaky', [0, 1, 3, 9, -1]);
    const { results } = await runThrough(run, 2_000);
    expect(results).toMatchObject([
      { status: 'ok', output: 1 },
      { status: 'ok', output: 2 },
      { status: 'ok', output: 4 },
      { status: 'failed', error: { code: 'TaskFailed', message: 'attempt 4', attempts: 4 } },
      { status: 'failed', error: { name: 'NonRetryableError', message: 'never', attempts: 1 } },
    ]);
    expect(Array.from(attempts.values(), (times) => times.length)).toEqual([1, 2, 4, 4, 1]);
    // Full jitter: up to 100 s, then up to 150 s, where the doubling stops.
    const gaps = (attempts.get(3) ?? [])
      .slice(1)
      .map((time, at) => time - (attempts.get(3)?.[at] ?? 0));
    for (const [at, gap] of gaps.entries()) expect(gap).toBeLessThanOrEqual(at === 0 ? 101 : 151);
    expect(Math.max(...gaps)).toBeGreaterThan(1);
    await close();
  });
});

describe('a claim', () => {
  it('is short, and extended for as long as an item takes', async () => {
    const long = defineTask({ ...slow, input: undefined, timeoutSeconds: 800 });
    const { deployment, startWorkers, close } = await virtualDeployment([long], { workers: 4 });
    startWorkers();
    const { results } = await runThrough(new Run(deployment, 'slow', [700]), 1_000);
    expect(codes(results)).toEqual(['ok']);
    // None of four workers received it while the first one held it.
    expect(attempts.get(0)).toHaveLength(1);
    await close();
  });

  it('of a dead worker ends within two minutes, and another worker gets the chunk', async () => {
    const mortal = defineTask({
      name: 'mortal',
      run: (_: null, { index }) => (note(index) === 1 ? die() : 'alive'),
    });
    const { deployment, startWorkers, close } = await virtualDeployment([mortal], { workers: 2 });
    startWorkers();
    const { results, seconds } = await runThrough(new Run(deployment, 'mortal', [null]));
    expect(codes(results)).toEqual(['ok']);
    expect(seconds).toBeLessThan(150);
    await close();
  });

  it('that is lost lets a worker report results, but not send or delete chunks', async () => {
    const blocking = defineTask({
      name: 'blocking',
      maxAttempts: 5,
      timeoutSeconds: 1,
      run(input: number, { index }) {
        note(index);
        // The thread is blocked for longer than the claim: no timer can renew it.
        if (input === 1 && attempts.get(index)?.length === 1) block(200_000);
        if (input === 0) throw new Error('to be tried again');
        return input;
      },
    });
    const { client, deployment, taskQueueUrl, lambda, tasksLeft, close } = await virtualDeployment([
      blocking,
    ]);
    const run = new Run(deployment, 'blocking', range(160));
    await vi.advanceTimersByTimeAsync(100);
    const left = tasksLeft().length;
    const { Messages: [message] = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: taskQueueUrl, MessageSystemAttributeNames: ['All'] }),
    );
    const items = (JSON.parse(message?.Body ?? '') as { items: unknown[] }).items.length;
    expect(items).toBe(5);
    const invoked = deployment.lambda.send(
      new InvokeCommand({
        FunctionName: deployment.names.worker,
        Payload: JSON.stringify({
          Records: [
            {
              messageId: message?.MessageId,
              receiptHandle: message?.ReceiptHandle,
              body: message?.Body,
              attributes: message?.Attributes,
            },
          ],
        }),
      }),
    );
    await vi.advanceTimersByTimeAsync(1_000);
    const { Payload } = await invoked;
    expect(JSON.parse(Payload?.transformToString() ?? '')).toEqual({
      batchItemFailures: [{ itemIdentifier: message?.MessageId }],
    });
    // Items 0 and 1 ran; no new chunk is sent for item 0 or for the rest.
    expect([...attempts.keys()]).toEqual([0, 1]);
    expect(tasksLeft()).toHaveLength(left);
    // The reported results are in the ledger; another worker runs the whole chunk.
    lambda.addSqsEventSource(deployment.names.worker, {
      sqs: client,
      queueUrl: taskQueueUrl,
      batchSize: 1,
      reportBatchItemFailures: true,
    });
    const { results } = await runThrough(run, 10_000);
    expect(codes(results)).toEqual(['TaskFailed', ...Array(159).fill('ok')]);
    expect(run.ledger.duplicates).toBeGreaterThan(0);
    await close();
  });
});

describe('a poison input', () => {
  it('costs only itself: its chunk is cut down to it, and it is condemned', async () => {
    const { deployment, startWorkers, close } = await virtualDeployment([kills]);
    startWorkers();
    const run = new Run(deployment, 'kills', range(640));
    const { results, seconds } = await runThrough(run, 3_600);
    expect(codes(results)).toEqual(Array(640).fill('ok').with(333, 'WorkerDied'));
    expect(results[333]).toMatchObject({
      error: { message: expect.stringContaining('Several workers started this input') },
    });
    // Twice with other inputs, once alone without a notice, and six times with a notice.
    expect(attempts.get(333)).toHaveLength(9);
    for (const [index, times] of attempts) if (index !== 333) expect(times.length).toBeLessThan(4);
    expect(seconds).toBeLessThan(1_200);
    await close();
  });

  it('is not suspected because of many deliveries, when throttled or without a worker', async () => {
    const { client, deployment, taskQueueUrl, startWorkers, tasksLeft, close } =
      await virtualDeployment([echo]);
    const run = new Run(deployment, 'echo', range(70));
    await vi.advanceTimersByTimeAsync(100);
    const chunks = tasksLeft().length;
    for (let delivery = 0; delivery < 60; delivery++) {
      for (let received = 0; received < chunks; ) {
        const { Messages = [] } = await client.send(
          new ReceiveMessageCommand({
            QueueUrl: taskQueueUrl,
            MaxNumberOfMessages: 10,
            VisibilityTimeout: 1,
          }),
        );
        received += Messages.length;
      }
      await vi.advanceTimersByTimeAsync(1_000);
    }
    expect(tasksLeft().every(({ receiveCount }) => receiveCount === 60)).toBe(true);
    startWorkers();
    const { results } = await runThrough(run, 600);
    expect(codes(results)).toEqual(Array(70).fill('ok'));
    for (const times of attempts.values()) expect(times).toHaveLength(1);
    await close();
  });
});

describe('slices', () => {
  it('spread the thousand slow items of one late chunk over all workers', async () => {
    const { client, deployment, taskQueueUrl, startWorkers, close } = await virtualDeployment(
      [slow],
      { workers: 10, sliceSeconds: 5 },
    );
    const run = new Run(deployment, 'slow', range(1000).fill(1));
    await vi.advanceTimersByTimeAsync(100);
    // The same inputs as one chunk, which the seed would cut for ten workers.
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: taskQueueUrl }),
    );
    const chunk = JSON.parse(Messages[0]?.Body ?? '') as { items: unknown[] };
    await client.send(new PurgeQueueCommand({ QueueUrl: taskQueueUrl }));
    chunk.items = range(1000).map((index) => [index, 1]);
    await client.send(
      new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody: JSON.stringify(chunk) }),
    );
    startWorkers();
    const { results, seconds } = await runThrough(run, 2_000);
    expect(codes(results)).toEqual(Array(1000).fill('ok'));
    expect(new Set(results.map((result) => 'worker' in result && result.worker)).size).toBe(10);
    // The first slices end after 5 s each.
    const slices = run.statistics().workers.flatMap((worker) => worker.slices);
    expect(slices.length).toBeGreaterThan(10);
    const { startedAt } = run.statistics();
    expect((Math.min(...slices) - startedAt) / 1000).toBeCloseTo(5, 0);
    // Ten workers need a hundred seconds; one would have needed a thousand.
    expect(seconds).toBeLessThan(150);
    for (const times of attempts.values()) expect(times).toHaveLength(1);
    await close();
  });
});

describe('a run ends', () => {
  it('at its deadline without any worker', async () => {
    const { deployment, close } = await virtualDeployment([echo]);
    const run = new Run(deployment, 'echo', range(5), { deadlineSeconds: 600 });
    const { results, seconds } = await runThrough(run, 1_000);
    expect(codes(results)).toEqual(Array(5).fill('Lost'));
    expect(seconds).toBeGreaterThanOrEqual(600);
    expect(seconds).toBeLessThan(605);
    expect(run.ledger).toMatchObject({ inputs: 5, failed: 5, sealed: true });
    expect(run.cause).toBe('it reached its deadline');
    await close();
  });

  it('at its deadline with inputs that were sent, and others that were certainly not started', async () => {
    const { deployment, close } = await virtualDeployment([echo]);
    const small = { ...deployment, windowBytes: 10_000 };
    const run = new Run(small, 'echo', range(20_000), { deadlineSeconds: 600 });
    const { results } = await runThrough(run, 1_000);
    const sent = codes(results).filter((code) => code === 'Lost').length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(20_000);
    const byIndex = results.toSorted((one, other) => one.index - other.index);
    expect(codes(byIndex)).toEqual([
      ...Array(sent).fill('Lost'),
      ...Array(20_000 - sent).fill('NotStarted'),
    ]);
    await close();
  });

  it('at its deadline only after all received results are consumed, however late its collector starts', async () => {
    const { deployment, startWorkers, close } = await virtualDeployment([echo], { workers: 4 });
    startWorkers();
    const left = new Run(deployment, 'echo', range(3_000), { deadlineSeconds: 300 });
    await vi.advanceTimersByTimeAsync(100_000);
    left.leave();
    await vi.advanceTimersByTimeAsync(400_000);
    const collected = await collectRun(deployment, 'echo', left.runId);
    const { results } = await runThrough(collected, 1_000);
    expect(codes(results)).toEqual(Array(3_000).fill('ok'));
    expect(collected.ledger).toMatchObject({ inputs: 3_000, ok: 3_000, failed: 0 });
    await close();
  });

  it.each([
    ['', {}, false],
    [', in order', {}, true],
    [', where counts are behind', { countsLate: true }, true],
  ])('without the results that another collector consumed before%s', async (_, counts, ordered) => {
    const slow = defineTask({ name: 'slow', run: (n: number) => sleep(1).then(() => n) });
    const { deployment, startWorkers, close } = await virtualDeployment([slow]);
    startWorkers();
    const there = { ...deployment, ...counts };
    const left = new Run(there, 'slow', range(100));
    const taken: number[] = [];
    const taking = (async () => {
      for await (const { index } of left) if (taken.push(index) === 20) left.leave();
    })();
    await vi.advanceTimersByTimeAsync(60_000);
    await taking;
    expect(taken.length).toBeLessThan(60);
    const collected = await collectRun(there, 'slow', left.runId, { ordered });
    const { results } = await runThrough(collected, 1_000);
    const indexes = results.map(({ index }) => index);
    expect([...taken, ...indexes].sort((a, b) => a - b)).toEqual(range(100));
    if (ordered) expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
    expect(collected.elsewhere).toBe(taken.length);
    await close();
  });

  it('when too many inputs fail, and reports that', async () => {
    const fails = defineTask({
      name: 'fails',
      maxAttempts: 1,
      run: () => Promise.reject(new Error('no')),
    });
    const { deployment, startWorkers, close } = await virtualDeployment([fails]);
    startWorkers();
    const run = new Run(deployment, 'fails', range(1000), { maxFailures: '2%' });
    const { results } = await runThrough(run, 1_000);
    const { failed, cancelled } = run.ledger;
    expect(failed).toBeGreaterThan(20);
    expect(failed + cancelled).toBe(1000);
    expect(cancelled).toBeGreaterThan(0);
    expect(results).toHaveLength(1000);
    expect(run.cause).toMatch(/\d+ inputs? failed, more than/);
    await close();
  });

  it.each([
    ['maxFailures', { maxFailures: -1 }],
    ['maxFailures', { maxFailures: '101%' as const }],
    ['maxFailures', { maxFailures: 1.5 }],
    ['deadlineSeconds', { deadlineSeconds: 0 }],
    ['deadlineSeconds', { deadlineSeconds: 14 * 86_400 }],
  ])('at once with an error for a wrong %s', async (option, options) => {
    const { deployment, close } = await virtualDeployment([echo]);
    expect(() => new Run(deployment, 'echo', [1], options)).toThrow(`\`${option}\` must be a`);
    await close();
  });
});

describe('cancelling', () => {
  /** A run with chunks in every state: queued, delayed, in flight, done. */
  async function running() {
    const mixed = defineTask({
      name: 'mixed',
      maxAttempts: 9,
      backoffBaseSeconds: 900,
      backoffCapSeconds: 900,
      timeoutSeconds: 300,
      async run(input: number, { index }) {
        note(index);
        if (input % 3 === 0) throw new Error('later');
        if (input % 3 === 1) await sleep(200);
        return input;
      },
    });
    const world = await virtualDeployment([mixed], { workers: 3 });
    world.startWorkers();
    const run = new Run(world.deployment, 'mixed', range(90));
    const consumed = Array.fromAsync(run);
    await vi.advanceTimersByTimeAsync(150_000);
    return { ...world, run, consumed };
  }

  it('balances the ledger within seconds, by the run itself', async () => {
    const { run, consumed, close } = await running();
    await within(3, run.cancel());
    await within(3, consumed);
    const { ok, failed, cancelled, inputs } = run.ledger;
    expect({ sum: ok + failed + cancelled, inputs }).toEqual({ sum: 90, inputs: 90 });
    expect(cancelled).toBeGreaterThan(0);
    await close();
  });

  it('by name reaches a collector, wherever it is', async () => {
    const { run, consumed, deployment, close } = await running();
    const cancelled = cancelRun(deployment, run.runId);
    expect(await within(5, consumed)).toHaveLength(90);
    expect(await within(5, cancelled)).toEqual({ byCollector: true });
    expect(run.cause).toBe('it was cancelled');
    await close();
  });

  it('by name ends a run without a collector, and workers drop its remaining chunks', async () => {
    const { client, deployment, startWorkers, tasksLeft, close } = await virtualDeployment([slow], {
      workers: 3,
    });
    const run = new Run(deployment, 'slow', range(200).fill(20));
    run.detach();
    startWorkers();
    await vi.advanceTimersByTimeAsync(200_000);
    const QueueName = deployment.names.run(run.runId);
    const cancelled = cancelRun(deployment, run.runId);
    await vi.advanceTimersByTimeAsync(11_000);
    expect(await cancelled).toEqual({ byCollector: false });
    await expect(client.send(new GetQueueUrlCommand({ QueueName }))).rejects.toThrow();
    const begun = attempts.size;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(tasksLeft()).toEqual([]);
    // A chunk that was running when its run ended runs at most to the end of its slice.
    expect(attempts.size).toBeLessThan(begun + 15);
    await close();
  });

  it('is refused for a missing run and an invalid run id', async () => {
    const { deployment, close } = await virtualDeployment([echo]);
    await expect(cancelRun(deployment, '20261123T165514123-k3f9x2ab')).rejects.toMatchObject({
      code: 'UnknownRun',
      message: expect.stringContaining('it has ended, or never existed'),
    });
    await expect(cancelRun(deployment, 'yesterday')).rejects.toMatchObject({ code: 'BadOption' });
    await close();
  });

  it('by a signal balances the ledger, and throws the reason', async () => {
    const { deployment, startWorkers, close } = await virtualDeployment([slow], { workers: 2 });
    startWorkers();
    const controller = new AbortController();
    const run = new Run(deployment, 'slow', range(20).fill(10), { signal: controller.signal });
    const consumed = Array.fromAsync(run);
    consumed.catch(() => {});
    await vi.advanceTimersByTimeAsync(35_000);
    controller.abort(new Error('enough'));
    await expect(within(3, consumed)).rejects.toThrow('enough');
    await within(3, run.ended);
    const { ok, cancelled, inputs } = run.ledger;
    expect(ok).toBeGreaterThan(0);
    expect({ sum: ok + cancelled, inputs }).toEqual({ sum: 20, inputs: 20 });
    await close();
  });
});

describe('a chunk that a worker cannot run', () => {
  it('waits until a deployment adds its task, and then runs', async () => {
    const workerTasks = [echo];
    const { deployment, startWorkers, close } = await virtualDeployment([slow], { workerTasks });
    startWorkers();
    const run = new Run(deployment, 'slow', [1, 2]);
    setTimeout(() => workerTasks.push(slow), 120_000);
    const { results } = await runThrough(run, 1_000);
    expect(codes(results)).toEqual(['ok', 'ok']);
    await close();
  });

  it('ends as UnknownTask if no deployment adds its task', async () => {
    const { deployment, startWorkers, close } = await virtualDeployment([slow], {
      workerTasks: [echo],
    });
    startWorkers();
    const { results, seconds } = await runThrough(new Run(deployment, 'slow', [1, 2]), 1_000);
    expect(codes(results)).toEqual(['UnknownTask', 'UnknownTask']);
    expect(results[0]).toMatchObject({
      error: { message: expect.stringContaining('There is no task named "slow"') },
    });
    expect(seconds).toBeGreaterThan(299);
    await close();
  });

  it('goes to the dead letters if it is garbage or of another version, and its run still ends', async () => {
    const { client, sqs, deployment, taskQueueUrl, startWorkers, close } = await virtualDeployment([
      echo,
    ]);
    const run = new Run(deployment, 'echo', [1, 2], { deadlineSeconds: 900 });
    await vi.advanceTimersByTimeAsync(100);
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl: taskQueueUrl, VisibilityTimeout: 43_200 }),
    );
    const other = (Messages[0]?.Body ?? '').replace('"v":2', '"v":3');
    for (const MessageBody of ['garbage', '{}', other]) {
      await client.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody }));
    }
    startWorkers();
    const { results, seconds } = await runThrough(run, 1_000);
    expect(codes(results).sort()).toEqual(['Lost', 'ok']);
    expect(seconds).toBeGreaterThan(899);
    expect(seconds).toBeLessThan(905);
    const dead = sqs.peek(deployment.names.dead).map(({ body }) => body);
    expect(dead.sort()).toEqual(['garbage', '{}', other].sort());
    await close();
  });
});

describe('two runs on one deployment', () => {
  it('progress side by side, whatever their sizes', async () => {
    const { deployment, startWorkers, close } = await virtualDeployment([slow], { workers: 2 });
    startWorkers();
    const large = new Run(deployment, 'slow', range(2_000).fill(2));
    void Array.fromAsync(large);
    await vi.advanceTimersByTimeAsync(300_000);
    const before = large.ledger.ok;
    const small = new Run(deployment, 'slow', range(30).fill(2));
    // Alone it would take 30 s; behind the other's backlog, half an hour.
    await within(200, Array.fromAsync(small));
    expect(large.ledger.ok).toBeGreaterThan(before);
    const other = new Run(deployment, 'slow', range(2_000).fill(2));
    void Array.fromAsync(other);
    const from = large.ledger.ok;
    await vi.advanceTimersByTimeAsync(600_000);
    const share = other.ledger.ok / (other.ledger.ok + large.ledger.ok - from);
    expect(share).toBeGreaterThan(0.3);
    expect(share).toBeLessThan(0.7);
    await Promise.all([large.cancel(), other.cancel()]);
    await close();
  });
});
