import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Chunk } from '../../../src/pipeline/messages/chunk.ts';
import type { RunControl, RunQueues } from '../../../src/pipeline/run/run-queues.ts';
import { follow } from '../../../src/pipeline/working/follow.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('looks rarely once a chunk can start nothing more, so that hours pass fast in a test', async () => {
  let looks = 0;
  const control = { paused: false };
  const runs = {
    intervalMs: () => 100,
    control: () => control,
    state: async () => looks++,
  } as unknown as RunQueues;
  let starting = true;
  const followers = { mayStart: () => starting, onChange() {}, onHedge() {} };
  const end = follow(runs, { results: 'own' } as Chunk, control, followers);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(looks).toBeGreaterThanOrEqual(30);
  starting = false;
  looks = 0;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(looks).toBeLessThanOrEqual(61);
  end();
  expect(vi.getTimerCount()).toBe(0);
});

it('tells of a pause, and of other bounds', async () => {
  let control: RunControl = { paused: false };
  const runs = {
    intervalMs: () => 100,
    control: () => control,
    state: async () => 'on',
  } as unknown as RunQueues;
  const onChange = vi.fn();
  const followers = { mayStart: () => true, onChange, onHedge() {} };
  const end = follow(runs, { results: 'own' } as Chunk, control, followers);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(onChange).not.toHaveBeenCalled();
  control = { paused: true };
  await vi.advanceTimersByTimeAsync(100);
  expect(onChange).toHaveBeenCalled();
  end();
});
