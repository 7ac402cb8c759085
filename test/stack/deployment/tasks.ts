// The tasks module of stacks that are deployed in tests: the tasks that ship, and some that fail.
import { existsSync, writeFileSync } from 'node:fs';
import { defineTask, NonRetryableError } from '../../../src/index.ts';

export * from '../../../functions/tasks/index.ts';

/** Every third input fails without a retry, and every fifth one once. */
export const picky = defineTask({
  name: 'picky',
  maxAttempts: 3,
  backoffBaseSeconds: 0,
  run(input: number, { attempt }) {
    if (input % 3 === 1) throw new NonRetryableError(`${input} is not to its taste`);
    if (input % 5 === 0 && attempt === 1) throw new TypeError('not yet');
    return input * 2;
  },
});

/** Ends its process at the first input that names a missing file, and creates the file. */
export const mortal = defineTask({
  name: 'mortal',
  run({ file }: { file?: string }) {
    if (file === undefined || existsSync(file)) return 'alive';
    writeFileSync(file, '');
    process.exit(9);
  },
});

/** Takes half a second, so that a few hundred of them outlast a worker's time. */
export const nap = defineTask({
  name: 'nap',
  timeoutSeconds: 5,
  async run(input: unknown) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    return input;
  },
});

/**
 * Returns when it ran, in milliseconds since 1970. It may take so long that its worker extends its
 * claim.
 */
export const span = defineTask({
  name: 'span',
  timeoutSeconds: 300,
  async run() {
    const began = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 300));
    return [began, Date.now()] as const;
  },
});

/** Returns its process's surroundings. It may take so long that its worker extends its claim. */
export const surroundings = defineTask({
  name: 'surroundings',
  timeoutSeconds: 300,
  run: (name: string) => process.env[name] ?? null,
});
