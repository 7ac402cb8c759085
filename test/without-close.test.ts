import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { isRunning, REPOSITORY } from './cli/command.ts';
import { run } from './stack/assembly.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-unclosed-'));
  writeFileSync(
    join(folder, 'tasks.js'),
    `import { appendFileSync } from 'node:fs';
     import { defineTask } from '${REPOSITORY}/src/index.ts';
     export const double = defineTask({ name: 'double', run: (n) => n * 2 });
     export const pid = defineTask({ name: 'pid', run: () => process.pid });
     // A second passes in which nothing runs here.
     export const again = defineTask({ name: 'again', backoffBaseSeconds: 1, run: (n, { attempt }) => {
       if (attempt === 1) throw new Error('once');
       return n;
     } });`,
  );
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program that does not close its connection. */
async function program(text: string) {
  const file = join(folder, 'main.js');
  writeFileSync(
    file,
    `import { connect } from '${REPOSITORY}/src/index.ts';
     import * as tasks from './tasks.js';
     ${text}`,
  );
  return run(['node', file], {});
}

const USE = `
  for (const name of ['double', 'again', 'double']) {
    const task = fanfold.tasks ? name : tasks[name];
    for await (const output of fanfold.map(task, [1, 2]).outputs()) console.log(output);
    // Idle, for as long as the program likes.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const run = fanfold.map(fanfold.tasks ? 'double' : tasks.double, [1, 2]);
  for await (const result of run) break;
  await fanfold.map(fanfold.tasks ? 'double' : tasks.double, [1, 2]).cancel();
  console.log(await fanfold.backlog().then(() => 'still open'));
`;

it.each([
  ['in its own process', 'await connect()'],
  ['in worker processes', "await connect({ tasks: './tasks.js', workers: 2 })"],
])(
  'a program that runs tasks %s without close() exits once it has its results',
  async (_, where) => {
    const { status, stdout, stderr } = await program(`
    process.chdir(import.meta.dirname);
    const fanfold = ${where};
    ${USE}
    if (fanfold.tasks) console.log((await Array.fromAsync(fanfold.map('pid', [1]).outputs()))[0]);`);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const pid = stdout.trim().split('\n').at(-1);
    if (where.includes('tasks')) expect(isRunning(Number(pid))).toBe(false);
    expect(stdout).toContain('still open');
    expect(stdout.split('\n').slice(0, 6)).toEqual(['2', '4', '1', '2', '2', '4']);
  },
);
