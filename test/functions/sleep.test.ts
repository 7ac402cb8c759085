import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { sleep } from '../../functions/tasks/sleep.ts';
import { type Json, NonRetryableError } from '../../src/index.ts';
import { taskContext } from './task-context.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Its return value, and the duration of its sleep in seconds. */
async function slept(input: Json): Promise<{ returned: unknown; seconds: number }> {
  const began = Date.now();
  const sleeping = Promise.resolve(sleep.run(input, taskContext()));
  const ended = sleeping.then((returned) => ({ returned, seconds: (Date.now() - began) / 1000 }));
  await vi.runAllTimersAsync();
  return ended;
}

describe('sleep', () => {
  it.each([0, 0.25, 2, 599])('sleeps the %d seconds given, and returns them', async (seconds) => {
    expect(await slept({ seconds })).toEqual({ returned: seconds, seconds });
  });

  it('otherwise sleeps a random whole number of seconds from 0 to 3', async () => {
    const inputs: Json[] = Array.from(
      { length: 200 },
      (_, at) => [at, 'x', null, {}][at % 4] ?? null,
    );
    const all = await Promise.all(inputs.map((input) => slept(input)));
    expect(new Set(all.map(({ returned }) => returned))).toEqual(new Set([0, 1, 2, 3]));
  });

  it.each([-1, 600, Number.NaN, '2', null])(
    'refuses %j seconds without a retry',
    async (seconds) => {
      const thrown = await Promise.resolve(sleep.run({ seconds }, taskContext())).catch(
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(NonRetryableError);
      expect(thrown).toHaveProperty('message', expect.stringContaining('from 0 to less than 600'));
    },
  );

  it('ends when its signal aborts, and leaves no timer behind', async () => {
    const controller = new AbortController();
    const sleeping = Promise.resolve(sleep.run({ seconds: 60 }, taskContext(controller.signal)));
    const outcome = expect(sleeping).rejects.toThrow('time is over');
    controller.abort(new Error('time is over'));
    await outcome;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does not start if its signal has already aborted', async () => {
    const signal = AbortSignal.abort(new Error('time is over'));
    await expect(sleep.run({ seconds: 60 }, taskContext(signal))).rejects.toThrow('time is over');
    expect(vi.getTimerCount()).toBe(0);
  });
});
