// @module-tag more
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { connect, type Fanfold, type LogLine, type Result } from '../../src/index.ts';
import { start } from '../cli/command.ts';

const module = join(import.meta.dirname, '../fixtures/stray-tasks.ts');
const tasks = pathToFileURL(module);
const folder = mkdtempSync(join(tmpdir(), 'fanfold-strays-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

let files = 0;

/** A connection whose processes record their actions. */
async function connected(workers: number) {
  const file = join(folder, `notes-${++files}`);
  vi.stubEnv('FANFOLD_TEST_NOTES', file);
  const warnings: string[] = [];
  const onWarning = (message: string) => warnings.push(message);
  const printed: string[] = [];
  const onLog = ({ message }: LogLine) => printed.push(message);
  const fanfold: Fanfold = await connect({ tasks, workers, onWarning, onLog });
  const noted = (what: RegExp) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => what.test(line));
  return { fanfold, warnings, printed, noted };
}

const outcomes = (results: Result<unknown>[]) =>
  results
    .toSorted((a, b) => a.index - b.index)
    .map((result) => (result.status === 'failed' ? result.error.code : result.status));

it.each([
  ['leaves', 'a rejected promise'],
  ['leaves-at-once', 'a rejected promise'],
  ['leaves', 'a timer that throws'],
])(
  'the results of a task that %s %s survive its process, and nobody else is blamed',
  async (task, what) => {
    const { fanfold, warnings, printed, noted } = await connected(2);
    await using _ = fanfold;
    // Chunks of several inputs, so that the next one is running when the error is thrown.
    const inputs = Array.from({ length: 150 }, (_, n) =>
      n % 50 === 3 ? what : n % 50 === 4 ? 'nothing, after a while' : 'nothing',
    );
    const run = fanfold.map(task, inputs);
    expect(outcomes(await Array.fromAsync(run))).toEqual(Array(150).fill('ok'));
    const deaths = noted(/loaded/).length - 2;
    expect(deaths).toBeGreaterThan(0);
    expect(deaths).toBeLessThanOrEqual(3);
    // Each input that leaves an error ran once: its result was not lost.
    expect(noted(/ran (3|53|103)$/)).toHaveLength(3);
    // A line for each process names the error and its place.
    expect(warnings.length).toBeGreaterThanOrEqual(deaths);
    expect(warnings.length).toBeLessThanOrEqual(3);
    const said = new RegExp(
      `Error: (stray|late) at .*stray-tasks\\.ts:\\d+:\\d+\\), which ${task === 'leaves' ? 'the task "leaves" did not catch for input (3|53|103)' : '.*'}: await`,
    );
    for (const warning of warnings) expect(warning).toMatch(said);
    expect(printed).toEqual([]);
  },
);

it('an attempt that fails and kills its process counts as one attempt, and is not repeated forever', async () => {
  const { fanfold, noted } = await connected(1);
  await using _ = fanfold;
  expect(outcomes(await Array.fromAsync(fanfold.map('fails-twice', [0])))).toEqual(['TaskFailed']);
  expect(noted(/ran/)).toHaveLength(3);
});

it('a worker whose processes die and finish nothing pauses, and reports why', async () => {
  const { fanfold, warnings } = await connected(1);
  await using _ = fanfold;
  expect(outcomes(await Array.fromAsync(fanfold.map('dies', [0])))).toEqual(['WorkerDied']);
  expect(warnings.slice(0, 3)).toEqual(
    Array(3).fill('worker-1 died (exit code 5) and is replaced'),
  );
  expect(warnings.slice(3)).toEqual([
    expect.stringMatching(/after a pause of 0\.2 s: its last 4 processes died before/),
    expect.stringMatching(/after a pause of 0\.4 s: its last 5 processes died before/),
    expect.stringMatching(/after a pause of 0\.8 s: its last 6 processes died before/),
  ]);
});

it('messages that tasks send to their parent are ignored', async () => {
  const { fanfold, warnings, noted } = await connected(1);
  await using _ = fanfold;
  const sent = [
    ...['null', '"x"', '5', 'disconnect', '[]', '{"type":"ready"}', '{"type":"unloadable"}'],
    ...[
      '{"type":"stop"}',
      '{"fanfold":"x","message":null}',
      '{"fanfold":null,"message":{"type":"ready"}}',
    ],
    ...['{"message":{"type":"start"}}', '{"type":"trouble","message":"a lie"}'],
  ];
  expect(outcomes(await Array.fromAsync(fanfold.map('sends', sent)))).toEqual(sent.map(() => 'ok'));
  expect(warnings).toEqual([]);
  expect(noted(/loaded/)).toHaveLength(1);
});

it('a reader of their messages that leaves harms no worker', async () => {
  const output = join(folder, 'unread.jsonl');
  const notes = join(folder, 'unread');
  const args = ['run', 'leaves-at-once', '--tasks', module, '--range', '300', '--output', output];
  const command = start([...args, '--workers', '1'], {
    env: {
      FANFOLD_TEST_NOTES: notes,
      NODE_OPTIONS: `--import=data:text/javascript,process.stderr.write('x');setInterval(()=>process.stderr.write('x'),5).unref()`,
    },
  });
  command.child.stderr?.destroy();
  command.child.stdin?.end();
  expect((await command.ended).status).toBe(0);
  const lines = readFileSync(output, 'utf8').trim().split('\n');
  expect(lines).toHaveLength(300);
  expect(readFileSync(notes, 'utf8').match(/loaded/g)).toHaveLength(1);
});

it('a library that ends a process only where nobody else listens ends it', async () => {
  const path = join(folder, 'alone.mjs');
  writeFileSync(
    path,
    `import { defineTask } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, '../../src/index.ts')))};
    process.on('uncaughtException', () => {
      if (process.listenerCount('uncaughtException') === 1) process.exit(7);
    });
    export const throws = defineTask({
      name: 'throws',
      maxAttempts: 1,
      run: () => new Promise(() => setTimeout(() => { throw new Error('late'); }, 10)),
    });`,
  );
  await using fanfold = await connect({ tasks: path, workers: 1, onWarning: () => {} });
  const [result] = await Array.fromAsync(fanfold.map('throws', [1]));
  expect(result).toMatchObject({ status: 'failed', error: { code: 'WorkerDied' } });
});
