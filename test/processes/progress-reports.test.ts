import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { telling } from '../../src/processes/progress-reports.ts';
import type { Ran } from '../../src/processes/protocol.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('final results and attempts are counted apart', () => {
  const told: Ran[] = [];
  const { onEnded, close } = telling((ran) => told.push(ran), 1_000);
  const failure = { code: 'TaskFailed' as const, name: 'Error', message: 'odd' };
  const ended = { runId: 'run', task: 'resize', index: 0, attempt: 1, ms: 1 };
  onEnded({ ...ended, failure, again: true });
  vi.advanceTimersByTime(500);
  onEnded({ ...ended, attempt: 2, failure: undefined, again: false });
  onEnded({ ...ended, index: 1, failure, again: false });
  close();
  vi.advanceTimersByTime(5_000);
  expect(told).toEqual([
    { ok: 0, failed: 0, attempts: 1, slow: [] },
    { ok: 1, failed: 1, attempts: 2, slow: [] },
  ]);
});
