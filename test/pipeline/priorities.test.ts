import { beforeEach, expect, it, vi } from 'vitest';
import { defineTask } from '../../src/index.ts';
import { chunkBody } from '../../src/pipeline/messages/chunk.ts';
import { groupOf, type Priority } from '../../src/pipeline/messages/priority.ts';
import { readChunk } from '../../src/pipeline/messages/read-chunk.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { furtherAttempts, messagesOf } from '../../src/pipeline/working/resend.ts';
import { numbers, virtualConnection } from './virtual-connection.ts';

const started: string[] = [];
const brief = defineTask({
  name: 'brief',
  async run(_: number, { runId }) {
    started.push(runId);
    await new Promise((resolve) => setTimeout(resolve, 250));
  },
});

const here = virtualConnection(10);
beforeEach(() => {
  started.length = 0;
});

/** Parts of the starts that runs with these priorities have while all have a backlog. */
async function sharesOf(...priorities: Priority[]): Promise<number[]> {
  const inputs = numbers(250);
  const runs = priorities.map((priority) => {
    const run = here.fanfold.map(brief, inputs, { priority });
    run.all().catch(() => {});
    return run.runId;
  });
  await vi.advanceTimersByTimeAsync(5_000);
  return runs.map((runId) => started.filter((one) => one === runId).length / started.length);
}

it('a run with high priority gets more than its share, and leaves some to others', async () => {
  const [normal = 0, high = 0] = await sharesOf('normal', 'high');
  expect(high).toBeGreaterThan(0.7);
  expect(normal).toBeGreaterThan(0.02);
});

it('two runs with normal priority share equally', async () => {
  const [one] = await sharesOf('normal', 'normal');
  expect(one).toBeGreaterThan(0.35);
  expect(one).toBeLessThan(0.65);
});

it('runs with low priority together get as much as one with normal priority', async () => {
  const [one = 0, other = 0, normal] = await sharesOf('low', 'low', 'normal');
  expect(normal).toBeGreaterThan(0.4);
  expect(one + other).toBeGreaterThan(0.4);
});

it('further attempts and remainders keep the priority', () => {
  const runId = newRunId();
  const envelope = { runId, task: 'brief', attempt: 1, expiresAt: Date.now(), results: 'own' };
  const items = [0, 1, 2, 3].map((index) => ({ index, text: '1' }));
  const body = (priority?: string) =>
    chunkBody({ ...envelope, priority } as Parameters<typeof chunkBody>[0], items);
  const read = (text: string) =>
    readChunk(text, { taskQueueUrl: 'http://localhost/1/fanfold-tasks', now: Date.now() });
  for (const [priority, group] of [
    ['high', new RegExp(`^${runId}\\.h\\d+$`)],
    ['low', /^low$/],
    [undefined, new RegExp(`^${runId}$`)],
  ] as const) {
    const chunk = read(body(priority));
    const sent = [...messagesOf(chunk, chunk.items, 1), ...furtherAttempts(brief, chunk, items)];
    expect(sent.length).toBeGreaterThan(4);
    for (const { body: one, groupId } of sent) {
      expect(groupId).toMatch(group);
      expect(read(one).priority).toBe(priority);
    }
  }
  const groups = Array.from({ length: 200 }, () => groupOf({ runId, priority: 'high' }));
  expect(new Set(groups).size).toBeGreaterThan(10);
  expect(() => read(body('urgent'))).toThrow(/`priority` of "high", "normal" or "low"/);
});

it('refuses another priority', () => {
  const wrong = () => here.fanfold.map(brief, [1], { priority: 'urgent' as never });
  expect(wrong).toThrow(/`priority` must be "high", "normal" or "low"; got "urgent"/);
});
