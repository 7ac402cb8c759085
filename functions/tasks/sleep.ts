import { NonRetryableError } from '../../src/errors.ts';
import { defineTask, type Json } from '../../src/task.ts';

const TIMEOUT_SECONDS = 600;

/**
 * The classic demonstration: sleeps a random whole number of seconds from 0 to 3, or the number in
 * an input like `{"seconds": 1.5}`, and returns it.
 */
export const sleep = defineTask({
  name: 'sleep',
  timeoutSeconds: TIMEOUT_SECONDS,
  async run(input: Json, { signal }) {
    const seconds = secondsOf(input);
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener('abort', stop);
        resolve();
      }, seconds * 1000);
      signal.addEventListener('abort', stop, { once: true });
    });
    return seconds;
  },
});

function secondsOf(input: Json): number {
  if (typeof input !== 'object' || input === null || !('seconds' in input)) {
    return Math.floor(Math.random() * 4);
  }
  const { seconds } = input;
  if (typeof seconds === 'number' && seconds >= 0 && seconds < TIMEOUT_SECONDS) return seconds;
  throw new NonRetryableError(
    `\`seconds\` must be a number from 0 to less than ${TIMEOUT_SECONDS}; got ${JSON.stringify(seconds)}.`,
  );
}
