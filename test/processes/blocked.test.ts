// @module-tag more
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { connect } from '../../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-blocked-'));
const module = join(folder, 'tasks.mjs');
const released = join(folder, 'released');

beforeAll(() => {
  writeFileSync(
    module,
    `import { appendFileSync, existsSync } from 'node:fs';
     import { defineTask } from '${join(import.meta.dirname, '../../src/index.ts')}';
     const begins = (what) => appendFileSync('${folder}/notes', what + '\\n');
     const options = { maxAttempts: 1, timeoutSeconds: 1 };
     export const late = defineTask({
       ...options,
       name: 'late',
       setup() {
         begins('late');
         while (!existsSync('${released}'));
       },
       run: (input) => input.slice(0, 1),
     });
     export const stuck = defineTask({
       ...options,
       name: 'stuck',
       async setup() {
         begins('stuck');
         for (;;);
       },
       run: (input) => input,
     });
     export const tearing = defineTask({
       ...options,
       name: 'tearing',
       setup: () => 1,
       teardown() {
         begins('tearing');
         for (;;);
       },
       run: (input) => (input === 'stays' ? new Promise(() => {}) : input),
     });`,
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  vi.useRealTimers();
});

/** The number of recorded starts. */
const begun = (what: string) => {
  const notes = readFileSync(join(folder, 'notes'), { encoding: 'utf8', flag: 'a+' });
  return notes.split('\n').filter((line) => line === what).length;
};

/** Lets the supervisor check its processes this number of times, as if a second apart. */
async function look(times: number, until = () => false): Promise<void> {
  for (let looks = 0; looks < times && !until(); looks++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    vi.advanceTimersByTime(1_000);
  }
}

it('a setup that blocks the thread has its own time limit, and its failure names the setup', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  await using fanfold = await connect({ tasks: module, workers: 1, onWarning });
  // Longer than the recorded part of a message, so that several inputs share a large one.
  const large = Array.from({ length: 4 }, (_, n) => `${n}`.padEnd(5_000, 'x'));
  const late = Array.fromAsync(fanfold.map('late', large).outputs());
  await expect.poll(() => begun('late'), { timeout: 60_000 }).toBe(1);
  await look(100);
  writeFileSync(released, '');
  expect(await late).toEqual(['0', '1', '2', '3']);
  expect(warnings).toEqual([]);

  let isOver = false;
  const stuck = Array.fromAsync(fanfold.map('stuck', large)).finally(() => {
    isOver = true;
  });
  // Each of its chunks costs a process; no check is made while the next one loads.
  for (let deaths = 0; !isOver; deaths++) {
    await expect.poll(() => isOver || begun('stuck') > deaths, { timeout: 60_000 }).toBe(true);
    await look(5_000, () => isOver || warnings.length > deaths);
  }
  expect((await stuck).map((result) => result.status === 'failed' && result.error)).toEqual(
    Array(4).fill(
      expect.objectContaining({
        code: 'TaskFailed',
        name: 'TimeoutError',
        attempts: 1,
        message: expect.stringMatching(/setup of the task "stuck" .*longer than 120 s.*blocked/),
      }),
    ),
  );
});

it('a process that a teardown blocks is replaced', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  await using fanfold = await connect({ tasks: module, workers: 1, onWarning });
  const codes = Array.fromAsync(fanfold.map('tearing', ['stays']), (result) => result.status);
  expect(await codes).toEqual(['failed']);
  // The process is worn out, and ends in order to be replaced.
  await expect.poll(() => begun('tearing'), { timeout: 60_000 }).toBe(1);
  await look(500, () => warnings.length > 0);
  expect(await Array.fromAsync(fanfold.map('tearing', ['goes on']).outputs())).toEqual(['goes on']);
  expect(warnings).toEqual([expect.stringMatching(/^worker-1 died \(SIGKILL: it was blocked/)]);
});
