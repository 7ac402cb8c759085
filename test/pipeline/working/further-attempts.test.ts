import fc from 'fast-check';
import { expect, it } from 'vitest';
import { defineTask } from '../../../src/index.ts';
import { furtherAttempts } from '../../../src/pipeline/working/resend.ts';

const chunk = {
  ...{ runId: 'run', task: 'limited', attempt: 1, expiresAt: 0, results: 'shared' as const },
  ...{ resultQueueUrl: '', items: [] },
};

/** The messages of further attempts at this number of failed inputs: delay and indexes of each. */
function attempts(failed: number, options: object, attempt = 1) {
  const task = defineTask({ name: 'limited', run: () => {}, ...options });
  const items = Array.from({ length: failed }, (_, index) => ({ index, text: 'null' }));
  return furtherAttempts(task, { ...chunk, attempt }, items).map(({ body, delaySeconds = 0 }) => ({
    delaySeconds,
    indexes: (JSON.parse(body).items as [number, null][]).map(([index]) => index),
  }));
}

it('many inputs that failed together are spread over the whole wait', () => {
  const messages = attempts(400, { backoffBaseSeconds: 60 });
  expect(messages).toHaveLength(10);
  for (const [part, { delaySeconds }] of messages.entries()) {
    expect(delaySeconds).toBeGreaterThanOrEqual(6 * part);
    expect(delaySeconds).toBeLessThanOrEqual(6 * (part + 1));
  }
});

it('few inputs, a short wait, or a high concurrency give few messages', () => {
  expect(attempts(0, {})).toHaveLength(0);
  expect(attempts(7, { backoffBaseSeconds: 60 })).toHaveLength(1);
  expect(attempts(400, { backoffBaseSeconds: 0 })).toHaveLength(1);
  expect(attempts(400, {})).toHaveLength(2);
  expect(attempts(400, { backoffCapSeconds: 3 }, 10)).toHaveLength(4);
  expect(attempts(400, { backoffBaseSeconds: 60, concurrency: 100 })).toHaveLength(4);
});

it('each input is retried once, within the wait', () => {
  const inputs = fc.integer({ min: 1, max: 1_000 });
  const seconds = fc.double({ min: 0, max: 900, noNaN: true });
  const concurrency = fc.integer({ min: 1, max: 1_000 });
  fc.assert(
    fc.property(inputs, seconds, concurrency, (failed, backoffBaseSeconds, concurrency) => {
      const messages = attempts(failed, {
        ...{ backoffBaseSeconds, concurrency, backoffCapSeconds: 900 },
      });
      expect(messages.flatMap(({ indexes }) => indexes)).toEqual([...Array(failed).keys()]);
      for (const { delaySeconds } of messages) {
        expect(delaySeconds).toBeLessThanOrEqual(Math.ceil(backoffBaseSeconds));
      }
    }),
  );
});
