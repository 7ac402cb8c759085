import { NonRetryableError } from '../../src/errors.ts';
import { defineTask, type Json } from '../../src/task.ts';

/** The longest sleep, in seconds: what leaves the task its time. */
const LONGEST_SECONDS = 840;

/**
 * The classic demonstration: sleeps a random whole number of seconds from 0 to 3, or as many as an
 * input like `{"seconds": 1.5}` says, and returns them.
 */
export const sleep = defineTask({
  name: 'sleep',
  timeoutSeconds: 900,
  async run(input: Json, { signal }) {
    const seconds = secondsOf(input);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, seconds * 1000);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
    return seconds;
  },
});

function secondsOf(input: Json): number {
  if (typeof input !== 'object' || input === null || !('seconds' in input)) {
    return Math.floor(Math.random() * 4);
  }
  const { seconds } = input;
  if (typeof seconds === 'number' && seconds >= 0 && seconds <= LONGEST_SECONDS) return seconds;
  throw new NonRetryableError(
    `\`seconds\` is a number from 0 to ${LONGEST_SECONDS}; ${JSON.stringify(seconds)} came.`,
  );
}
