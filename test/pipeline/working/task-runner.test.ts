import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { defineTask } from '../../../src/index.ts';
import type { Outcome } from '../../../src/pipeline/working/outcome.ts';
import { Execution } from '../../../src/pipeline/working/task-runner.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('a task runner times out items that start when it is run again', async () => {
  const hangs = defineTask({
    name: 'hangs',
    timeoutSeconds: 10,
    run: (input: number) => (input === 0 ? Promise.resolve(0) : new Promise(() => {})),
  });
  const chunk = {
    runId: 'r',
    task: 'hangs',
    attempt: 1,
    expiresAt: 0,
    results: 'own' as const,
    resultQueueUrl: '',
    items: [
      { index: 0, text: '0', value: 0 },
      { index: 1, text: '1', value: 1 },
    ],
  };
  const outcomes: Outcome[] = [];
  let mayStart = false;
  const execution = new Execution(hangs, chunk, {
    onSettled: (outcome) => outcomes.push(outcome),
    mayStart: () => mayStart,
  });
  await execution.run();
  expect(execution.left).toMatchObject([{ index: 1, text: '1' }]);
  mayStart = true;
  const again = execution.run();
  await vi.advanceTimersByTimeAsync(10_000);
  await again;
  expect(outcomes).toMatchObject([
    { index: 0, ok: true },
    { index: 1, ok: false, failure: { code: 'TimedOut' } },
  ]);
});
