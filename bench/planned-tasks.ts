// Tasks of the benchmark `plan`.
import { defineTask } from '../src/index.ts';

export const pause = defineTask({
  name: 'pause',
  async run(input: number) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return input;
  },
});

/** Keeps a processor busy for about the milliseconds that its input says, on a machine of 2026. */
export const compute = defineTask({
  name: 'compute',
  run({ ms }: { ms: number }) {
    let sum = 0;
    for (let at = 0; at < ms * 150_000; at++) sum += Math.sqrt(at ^ (sum & 3));
    return sum;
  },
});
