import {
  CreateQueueCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
  type SQSClientResolvedConfig,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { Run } from '../../../src/pipeline/collecting/run.ts';
import type { RunOutcome } from '../../../src/pipeline/messages/ended.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { endedRunsOf, listEnded } from '../../../src/pipeline/run/ended.ts';
import { cancelRun } from '../../../src/pipeline/runs/cancel.ts';
import { pruneRuns } from '../../../src/pipeline/runs/collect-run.ts';
import { defineTask } from '../../../src/task.ts';
import { runThrough, virtualDeployment, within } from '../virtual-deployment.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => void vi.useRealTimers());

const names = namesOf('Photos');

async function withQueue() {
  const sqs = createSqsClient(new Sqs());
  const Attributes = { MessageRetentionPeriod: '86400' };
  const { QueueUrl = '' } = await sqs.send(
    new CreateQueueCommand({ QueueName: names.ended, Attributes }),
  );
  const runQueueUrl = QueueUrl.replace(names.ended, names.run(newRunId()));
  const list = (outcome: RunOutcome) => listEnded({ sqs, names }, runQueueUrl, outcome);
  return { sqs, QueueUrl, list };
}

const outcome = (more: Partial<RunOutcome> = {}): RunOutcome => ({
  ...{ runId: newRunId(), task: 'echo', total: 10, ok: 8, failed: 2, cancelled: 0, elsewhere: 0 },
  ...{ cause: undefined, collector: 'c' },
  ...more,
});

it('ended runs are listed oldest first, with the time of their end, until a day later', async () => {
  const { sqs, list } = await withQueue();
  const first = outcome({ runId: newRunId(Date.now() - 60_000), cause: 'it was cancelled' });
  const second = outcome({ total: undefined, collector: undefined });
  await list(second);
  await list(first);
  const endedAt = Date.now();
  await vi.advanceTimersByTimeAsync(3 * 3_600_000);
  const runs = await within(1, endedRunsOf({ sqs, names }));
  expect(runs).toMatchObject([
    { ...first, endedAt, createdAt: endedAt - 60_000, readAt: Date.now() },
    { ...second, endedAt },
  ]);
  await vi.advanceTimersByTimeAsync(21 * 3_600_000);
  expect(await within(1, endedRunsOf({ sqs, names }))).toEqual([]);
});

it.each([false, true])(
  'three readers at once each see all runs (late counts: %s)',
  async (countsLate) => {
    const { sqs, list } = await withQueue();
    const outcomes = Array.from({ length: 64 }, (_, ms) => outcome({ runId: newRunId(ms) }));
    for (const one of outcomes) await list(one);
    const read = () => endedRunsOf({ sqs, names, countsLate });
    const seen = await within(30, Promise.all([read(), read(), read()]));
    const expected = outcomes.map(({ runId }) => runId);
    expect(seen.map((runs) => runs?.map(({ runId }) => runId))).toEqual(Array(3).fill(expected));
  },
);

it('a reader hides nothing afterwards, and one that was killed delays others by seconds', async () => {
  const { sqs, QueueUrl, list } = await withQueue();
  await list(outcome());
  for (let reader = 0; reader < 5; reader++) {
    const startedAt = Date.now();
    expect(await within(1, endedRunsOf({ sqs, names }))).toHaveLength(1);
    expect(Date.now() - startedAt).toBe(0);
  }
  await sqs.send(new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 2 }));
  expect(await within(5, endedRunsOf({ sqs, names }))).toHaveLength(1);
});

it('of messages about the same run, the one with the most results counts, then the first', async () => {
  const { sqs, list } = await withQueue();
  const runId = newRunId();
  await list(outcome({ runId, ok: 3, failed: 0, cancelled: 7, cause: 'it was cancelled' }));
  const { endedAt } = await list(outcome({ runId })).then(() => ({ endedAt: Date.now() }));
  await vi.advanceTimersByTimeAsync(5_000);
  await list(outcome({ runId, collector: 'late' }));
  const runs = await within(5, endedRunsOf({ sqs, names }));
  expect(runs).toMatchObject([
    { runId, ok: 8, failed: 2, cause: undefined, collector: 'c', endedAt },
  ]);
});

it('messages that are not about an ended run are ignored', async () => {
  const { sqs, QueueUrl } = await withQueue();
  const good = { v: 1, ...outcome() };
  const bad = [
    ...['no JSON', 'null', '[]', '{}'],
    ...[{ v: 2 }, { runId: 'x' }, { task: 7 }, { ok: -1 }, { failed: 1.5 }, { total: '9' }].map(
      (wrong) => JSON.stringify({ ...good, ...wrong }),
    ),
    ...[{ cause: {} }, { collector: [] }, { ok: 1e300 }, { cancelled: null }].map((wrong) =>
      JSON.stringify({ ...good, ...wrong }),
    ),
  ];
  for (const MessageBody of bad) await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  expect(await within(5, endedRunsOf({ sqs, names }))).toEqual([]);
});

it('a long cause is cut, and any character arrives', async () => {
  const { sqs, list } = await withQueue();
  await list(outcome({ cause: `\uFFFE${'x'.repeat(5_000)}` }));
  const [run] = (await within(5, endedRunsOf({ sqs, names }))) ?? [];
  expect(run?.cause).toBe(`\uFFFE${'x'.repeat(299)}`);
});

function failing(sqs: SQSClient, name: string) {
  sqs.middlewareStack.add(
    () => async () => {
      throw Object.assign(new Error(name), { name });
    },
    { step: 'initialize' },
  );
}

it('a deployment without the queue has no list, and takes no message', async () => {
  const sqs = createSqsClient(new Sqs());
  const url = `http://localhost/000000000000/${names.run(newRunId())}`;
  await listEnded({ sqs, names }, url, outcome());
  expect(await endedRunsOf({ sqs, names })).toBeUndefined();
});

it('denied access is no list; other errors are thrown', async () => {
  const { sqs, list } = await withQueue();
  failing(sqs, 'AccessDenied');
  await list(outcome());
  expect(await endedRunsOf({ sqs, names })).toBeUndefined();
  const other = await withQueue();
  failing(other.sqs, 'InternalFailure');
  await expect(endedRunsOf({ sqs: other.sqs, names })).rejects.toThrow('InternalFailure');
});

it('a message that SQS does not answer is given up after five seconds', async () => {
  const handle = (_: unknown, { abortSignal }: { abortSignal: AbortSignal }) =>
    new Promise<never>((_resolve, reject) => {
      abortSignal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  const sqs = createSqsClient(new Sqs(), {
    requestHandler: { handle } as unknown as SQSClientResolvedConfig['requestHandler'],
  });
  const url = `http://localhost/000000000000/${names.run(newRunId())}`;
  const startedAt = Date.now();
  await within(6, listEnded({ sqs, names }, url, outcome()));
  expect(Date.now() - startedAt).toBeLessThan(5_200);
});

const fragile = defineTask({
  name: 'fragile',
  maxAttempts: 1,
  run: (input: number) => {
    if (input > 7) throw new Error('no');
    return input;
  },
});
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

/** A deployment that lists its ended runs. */
async function listing() {
  const virtual = await virtualDeployment([fragile]);
  const here = namesOf('virtual');
  await virtual.client.send(new CreateQueueCommand({ QueueName: here.ended }));
  return { ...virtual, ended: () => within(5, endedRunsOf(virtual.deployment)) };
}

it('a run that completes is listed, with its counts and its collector', async () => {
  const { deployment, startWorkers, ended, close } = await listing();
  startWorkers();
  const run = new Run(deployment, 'fragile', numbers(10), { collector: 'me' });
  await runThrough(run);
  expect(await ended()).toMatchObject([
    {
      ...{ runId: run.runId, task: 'fragile', total: 10, ok: 8, failed: 2, cancelled: 0 },
      ...{ elsewhere: 0, cause: undefined, collector: 'me' },
    },
  ]);
  await close();
});

it('runs that end early are listed with the reason', async () => {
  const { deployment, ended, close } = await listing();
  const cancelled = new Run(deployment, 'fragile', numbers(10));
  while (cancelled.seeded < 10) await new Promise(setImmediate);
  await within(5, cancelled.cancel());
  // Ids sort by their time.
  await vi.advanceTimersByTimeAsync(1);
  const late = new Run(deployment, 'fragile', numbers(4), { deadlineSeconds: 30 });
  await runThrough(late);
  const counts = { ok: 0, failed: 0, cancelled: 0 };
  expect(await ended()).toMatchObject([
    { ...counts, runId: cancelled.runId, total: 10, cancelled: 10, cause: 'it was cancelled' },
    { ...counts, runId: late.runId, total: 4, failed: 4, cause: 'it reached its deadline' },
  ]);
  await close();
});

it('runs that end without their collector are listed with its last counts', async () => {
  const { deployment, client, ended, close } = await listing();
  const make = async (more: Record<string, string>, born = Date.now()) => {
    const runId = newRunId(born);
    const tags = { task: 'fragile', state: 'sealed', total: '9', ok: '5', failed: '1', ...more };
    await client.send(new CreateQueueCommand({ QueueName: namesOf('virtual').run(runId), tags }));
    return runId;
  };
  const complete = await make({ ok: '8' });
  const late = await make({ expiresAt: '1' });
  const open = await make({ state: 'seeding', total: 'x' });
  await within(5, pruneRuns(deployment));
  await within(20, cancelRun(deployment, open));
  const counts = { ok: 5, failed: 1, collector: undefined };
  const runs = new Map((await ended())?.map((run) => [run.runId, run]));
  expect(runs.get(complete)).toMatchObject({ ok: 8, failed: 1, cancelled: 0, cause: undefined });
  expect(runs.get(late)).toMatchObject({
    ...counts,
    total: 9,
    cancelled: 3,
    cause: 'it reached its deadline',
  });
  expect(runs.get(open)).toMatchObject({ ...counts, total: undefined, cancelled: 0 });
  expect(runs.get(open)?.cause).toBe('it was cancelled');
  const left = await make({});
  await within(5, pruneRuns(deployment, { all: true }));
  expect((await ended())?.find(({ runId }) => runId === left)?.cause).toMatch(/deleted/);
  await close();
});

it('a run ends the same whether the list can be written or not', async () => {
  const { deployment, client, startWorkers, close } = await virtualDeployment([fragile]);
  startWorkers();
  const { results } = await runThrough(new Run(deployment, 'fragile', numbers(10)));
  expect(results).toHaveLength(10);
  const { QueueUrls = [] } = await client.send(new ListQueuesCommand({}));
  expect(QueueUrls.filter((url) => /-(run|ended)/.test(url))).toEqual([]);
  await close();
});
