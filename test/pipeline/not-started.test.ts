import { expect, it, vi } from 'vitest';
import { defineTask, type Result, RetryLater } from '../../src/index.ts';
import { numbers, virtualConnection } from './virtual-connection.ts';

const here = virtualConnection(2);

it.each([3, 30])(
  'after %i s, inputs that no worker has begun are told from others',
  async (deadlineSeconds) => {
    const started = new Set<number>();
    const task = defineTask({
      name: 'second',
      async run(input: number) {
        started.add(input);
        // A further attempt waits in the queue like a first one.
        if (input % 4 === 1) throw new Error('odd');
        if (input % 4 === 3) throw new RetryLater(60);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      },
    });
    const results: Result<unknown>[] = [];
    const run = here.fanfold.map(task, numbers(5_000), { deadlineSeconds });
    const ended = (async () => {
      for await (const result of run) results.push(result);
    })();
    await vi.advanceTimersByTimeAsync(deadlineSeconds * 1_000 + 5_000);
    await ended;
    expect(results).toHaveLength(5_000);
    const waiting = results.filter(
      (one) => one.status === 'failed' && one.error.code === 'NotStarted',
    );
    expect(waiting.length).toBeGreaterThan(4_000);
    expect(waiting.filter(({ index }) => started.has(index))).toEqual([]);
  },
);
