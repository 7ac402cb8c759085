// @module-tag more
import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  DeleteMessageCommand,
  ReceiveMessageCommand,
  type SQSClient,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fanfold } from '../../../src/fanfold.ts';
import { defineTask } from '../../../src/index.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { findQueue } from '../../../src/pipeline/run/queues.ts';
import { openInProcess } from '../../../src/worlds/in-process.ts';
import type { World } from '../../../src/worlds/world.ts';

const double = defineTask({ name: 'double', run: (n: number) => n * 2 });

/** Waits for its gate from input 100 on. */
let gate = Promise.withResolvers<void>();
const gated = defineTask({
  name: 'gated',
  async run(n: number) {
    if (n >= 100) await gate.promise;
    return n;
  },
});

let world: World;
let fanfold: Fanfold;
// Each test has its own deployment, which is not kept busy by the chunks of another test.
beforeEach(async () => {
  gate = Promise.withResolvers();
  world = await openInProcess(2);
  world.add(double);
  world.add(gated);
  fanfold = new Fanfold(world);
});
afterEach(async () => {
  gate.resolve();
  await fanfold.close();
});

/** Seeds pages of a run with this total number of inputs, and does not seal it. */
async function seeded(pages: number[][], total: number, { task = 'double' } = {}): Promise<string> {
  const { lambda, names } = world.deployment;
  const runId = newRunId();
  let first = 0;
  for (const inputs of pages) {
    const request = { task, inputs, first, total, results: 'own', runId, chunkItems: 10 };
    const Payload = JSON.stringify(request);
    await lambda.send(new InvokeCommand({ FunctionName: names.seed, Payload }));
    first += inputs.length;
  }
  return runId;
}

describe('a run whose command left it after all inputs were seeded and before it was sealed', () => {
  it('is over for its collector once it has as many results as inputs', async () => {
    const run = await fanfold.collect(double, await seeded([[1, 2], [3]], 3));
    const results = await Array.fromAsync(run);
    expect(results.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    expect(run.ledger).toMatchObject({ inputs: 3, ok: 3, sealed: true });
  });

  it('continues if inputs are missing', async () => {
    const run = await fanfold.collect(double, await seeded([[1], [2]], 3));
    const results = run[Symbol.asyncIterator]();
    await results.next();
    await results.next();
    const more = Promise.race([
      results.next().then(() => 'over'),
      new Promise((resolve) => setTimeout(resolve, 3_000, 'going on')),
    ]);
    expect(await more).toBe('going on');
    run.leave();
  });
});

describe('a run that had a collector before', () => {
  const numbers = Array.from({ length: 200 }, (_, n) => n);

  /** A run that another collector left after it consumed some results. */
  async function begun(): Promise<{ runId: string; taken: number[] }> {
    const runId = await seeded([numbers], 200, { task: 'gated' });
    const run = await fanfold.collect(gated, runId);
    const taken: number[] = [];
    for await (const { index } of run) {
      taken.push(index);
      // Results that have arrived by now are consumed anyway.
      if (taken.length === 50) run.leave();
    }
    expect(taken.length).toBeLessThanOrEqual(100);
    return { runId, taken };
  }

  it('ends without the results that the earlier collector consumed', async () => {
    const { runId, taken } = await begun();
    gate.resolve();
    const run = await fanfold.collect(gated, runId);
    const indexes = (await Array.fromAsync(run)).map(({ index }) => index);
    expect([...taken, ...indexes].sort((a, b) => a - b)).toEqual(numbers);
    expect(run.elsewhere).toBe(taken.length);
    const left = 200 - taken.length;
    expect(run.ledger).toMatchObject({ inputs: left, ok: left, failed: 0, cancelled: 0 });
    expect(await fanfold.status(runId)).toBeUndefined();
  });

  it('reports its total progress', async () => {
    const { runId, taken } = await begun();
    const run = await fanfold.collect(gated, runId);
    const more = run[Symbol.asyncIterator]();
    run.leave();
    await more.next();
    await more.return();
    expect(await fanfold.status(runId)).toMatchObject({ ok: taken.length, failed: 0, total: 200 });
  });

  it('fails without a change to the run if missing results are unaccounted for', async () => {
    const { sqs, names } = world.deployment;
    const runId = await seeded([numbers.slice(0, 100)], 100, { task: 'gated' });
    const queueUrl = (await findQueue(sqs, names.run(runId))) ?? '';
    await take(sqs, queueUrl);
    // The state that a collector leaves when it is killed after half a minute.
    const Tags = { collectedAt: String(Date.now() - 80_000), ok: '0', taken: '0' };
    await sqs.send(new TagQueueCommand({ QueueUrl: queueUrl, Tags }));
    const run = await fanfold.collect(gated, runId);
    await expect(Array.fromAsync(run)).rejects.toThrow(
      /lacks the results of [1-9]\d* inputs, and they will not arrive/,
    );
    expect(await fanfold.status(runId)).toBeDefined();
  });

  it('has one collector at a time, which may resume under its name', async () => {
    const runId = await seeded([numbers], 200, { task: 'gated' });
    const first = await fanfold.collect(gated, runId, { collector: 'first' });
    const results = first[Symbol.asyncIterator]();
    await results.next();
    await expect.poll(async () => (await fanfold.status(runId))?.collector).toBe('first');
    await expect(fanfold.collect(gated, runId)).rejects.toThrow(/is being collected/);
    await expect(fanfold.collect(gated, runId, { collector: 'other' })).rejects.toThrow(
      /is being collected/,
    );
    const again = await fanfold.collect(gated, runId, { collector: 'first' });
    again.leave();
    await results.return();
  });

  /** Consumes one message of results, and does not report it. */
  async function take(client: SQSClient, QueueUrl: string): Promise<void> {
    const { Messages: [message] = [] } = await client.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }),
    );
    const { ReceiptHandle = '' } = message ?? {};
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  }
});
