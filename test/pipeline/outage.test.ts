import { afterEach, expect, it, vi } from 'vitest';
import { connect } from '../../src/connect.ts';
import { defineTask } from '../../src/task.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A service that is down for a while. */
function service() {
  const state = { down: false, refused: 0, answered: 0 };
  const task = defineTask({
    ...{ name: 'call', concurrency: 5, maxAttempts: 2, backoffBaseSeconds: 0.1 },
    async run(n: number) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (state.down) {
        state.refused++;
        throw new Error('503 Service Unavailable');
      }
      state.answered++;
      return n;
    },
  });
  return { state, task };
}

const inputs = Array.from({ length: 2_000 }, (_, n) => n);

it('a run pauses itself in an outage, says why, and goes on after it', async () => {
  const { state, task } = service();
  await using fanfold = await connect({ workers: 2 });
  const run = fanfold.map(task, inputs, { pauseWhenFailing: '50%/2s' });
  const all = run.all();
  await vi.waitFor(() => expect(state.answered).toBeGreaterThan(100));
  state.down = true;
  await vi.waitFor(() => expect(run.settings.outage).toBeDefined(), 10_000);
  console.log(run.settings, state);
  const before = state.refused;
  await vi.waitFor(() => expect(state.refused).toBeGreaterThan(before + 2), 10_000);
  console.log(run.settings, state);
  state.down = false;
  const t = performance.now();
  await vi.waitFor(() => expect(run.settings.outage).toBeUndefined(), 10_000);
  console.log(performance.now() - t, state);
  expect(await all).toEqual(inputs);
  console.log(performance.now() - t, state);
}, 60_000);
