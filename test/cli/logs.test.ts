import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LogLine } from '../../src/index.ts';
import { REPOSITORY } from './command.ts';
import { inThisProcess } from './in-this-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-logs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tasks = join(folder, 'tasks.ts');
writeFileSync(
  tasks,
  `import { defineTask } from '${REPOSITORY}/src/index.ts';
export const talks = defineTask({
  name: 'talks',
  maxAttempts: 2,
  backoffBaseSeconds: 0,
  setup() { console.log('set up'); },
  async run(input: number, { attempt, log }) {
    if (input === 0) return input;
    log.info('asked', { url: 'data:,x', index: 99 });
    log.debug('in detail');
    await new Promise((resolve) => setTimeout(resolve, 5));
    console.warn('printed %d', input);
    process.stdout.write('without a console\\n');
    if (input === 1) log.error('odd', { error: new TypeError('no number') });
    if (input === 1) throw new Error('attempt ' + attempt);
    return input;
  },
});
export const prints = defineTask({ name: 'prints', run(input: number) { console.log('at once', input); } });
export const dies = defineTask({
  name: 'dies',
  maxAttempts: 1,
  run() { console.error('last words'); process.kill(process.pid, 'SIGKILL'); },
});
export const silent = defineTask({ name: 'silent', run: (input: number) => input });
export const chatty = defineTask({
  name: 'chatty',
  run(input: number, { log }) {
    for (let line = 0; line < 1_500; line++) log.info('line ' + line);
    log.info('x'.repeat(100_000), { long: 'y'.repeat(100_000), circle: log });
  },
});`,
);

const run = (task: string, output: string, ...more: string[]) =>
  inThisProcess([
    'run',
    task,
    '--tasks',
    tasks,
    '--workers',
    '1',
    '--output',
    join(folder, output),
    ...more,
  ]);
const logs = (output: string, ...more: string[]) =>
  inThisProcess(['logs', join(folder, output), ...more]);
const linesOf = (text: string): LogLine[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));

describe('the log of a run on this machine', () => {
  let said: string;
  beforeAll(async () => {
    said = (await run('talks', 'talks.jsonl', '--range', '3')).stderr;
  });

  it('is printed as JSON lines with run, index, attempt and worker, from the level on', () => {
    const lines = linesOf(said);
    const about = {
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      runId: expect.stringMatching(/^\d{8}T\d{9}-/),
      task: 'talks',
      index: 2,
      attempt: 1,
      worker: 'worker-1',
    };
    expect(lines.filter(({ index }) => index === 2)).toEqual([
      { ...about, line: 1, level: 'info', message: 'asked', fields: { url: 'data:,x' } },
      { ...about, line: 3, level: 'warn', message: 'printed 2' },
    ]);
    const without = { time: about.time, level: 'info', worker: 'worker-1' };
    expect(lines).toContainEqual({ ...without, message: 'set up' });
    expect(lines).toContainEqual({ ...without, message: 'without a console' });
    // Fanfold's own sentences stay text.
    for (const line of said.trimEnd().split('\n')) expect(line).toMatch(/^(fanfold: |\{"time":")/);
  });

  it('is kept beside the output, with the lines of all attempts and levels', async () => {
    const { status, stdout } = await logs('talks.jsonl', '1');
    expect(status).toBe(0);
    const shown = stdout.trimEnd().split('\n');
    expect(shown.map((line) => line.replace(/^\S+Z /, ''))).toEqual(
      [1, 2].flatMap((attempt) => [
        `INFO  attempt ${attempt}: asked url=data:,x`,
        `DEBUG attempt ${attempt}: in detail`,
        `WARN  attempt ${attempt}: printed 1`,
        `ERROR attempt ${attempt}: odd error="TypeError: no number"`,
      ]),
    );
    const raw = linesOf((await logs('talks.jsonl', '1', '--json')).stdout);
    expect(raw).toHaveLength(8);
    expect(raw[3]?.fields).toMatchObject({ error: { stack: expect.stringContaining('tasks.ts') } });
  });

  it('has the last words of a killed process', async () => {
    await run('dies', 'dies.jsonl', '--range', '1');
    const { stdout } = await logs('dies.jsonl', '0');
    expect(stdout).toMatch(/ERROR attempt 1: last words/);
  });

  it('is named by the summary, with an input that has lines', () => {
    expect(said).toMatch(/to see the log lines of input 1: .* logs \S+talks\.jsonl 1$/m);
  });

  it('says so when an input has none, does not exist, or was not recorded', async () => {
    const none = await logs('talks.jsonl', '0');
    expect(none).toMatchObject({ status: 0, stdout: '' });
    expect(none.stderr).toContain('no log lines of input 0');
    const cases: [args: string[], sentence: string][] = [
      [['talks.jsonl', '3'], 'has 3 inputs, 0 to 2'],
      [['talks.jsonl', 'one'], 'must be a whole number'],
      [['missing.jsonl', '1'], 'There is no file'],
      [['tasks.ts', '1'], 'has no record'],
      [['talks.jsonl', '1', '--stack', 'Photos'], 'no results of a run on stack Photos'],
      [['talks.jsonl', '1', '--endpoint', 'http://one'], 'are not kept'],
    ];
    for (const [[output = '', ...more], sentence] of cases) {
      const { status, stdout, stderr } = await logs(output, ...more);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain(sentence);
    }
    const local = await inThisProcess(['logs', '20261123T165514123-k3f9x2ab', '1']);
    expect(local.status).toBe(2);
    expect(local.stderr).toContain('--stack NAME');
  });

  it('is appended to by --resume, and replaced by --overwrite', async () => {
    const attempts = async () =>
      linesOf((await logs('talks.jsonl', '1', '--json')).stdout).filter(({ line }) => line === 1);
    const { stderr } = await run(
      'talks',
      'talks.jsonl',
      '--range',
      '4',
      '--resume',
      '--retry-failed',
    );
    expect(stderr).toContain('1 failed input will run again');
    expect(new Set((await attempts()).map(({ runId }) => runId)).size).toBe(2);
    expect((await logs('talks.jsonl', '1')).stdout).toMatch(/run \d{8}T\S+, attempt 2: asked/);
    await run('silent', 'talks.jsonl', '--range', '3', '--overwrite');
    expect(existsSync(join(folder, 'talks.jsonl.run.logs'))).toBe(false);
  });
});

it('a task that returns at once has its lines too, and one that logs nothing has no file', async () => {
  const printed = await run('prints', 'prints.jsonl', '--range', '3', '--quiet');
  expect(printed.stderr).toBe('');
  for (const index of [0, 1, 2]) {
    expect((await logs('prints.jsonl', String(index))).stdout).toContain(`: at once ${index}\n`);
  }
  await run('silent', 'silent.jsonl', '--range', '3');
  expect(existsSync(join(folder, 'silent.jsonl.run.logs'))).toBe(false);
});

it('an attempt and a line are bounded', async () => {
  await run('chatty', 'chatty.jsonl', '--range', '1', '--log-level', 'error');
  const lines = linesOf((await logs('chatty.jsonl', '0', '--json')).stdout);
  expect(lines).toHaveLength(1_001);
  expect(lines.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('1,000') });
});

it('a file that is not fanfold’s is not overwritten by a log', async () => {
  const foreign = join(folder, 'foreign.jsonl.run.logs');
  writeFileSync(foreign, 'mine');
  const { status, stderr } = await run('silent', 'foreign.jsonl', '--range', '1');
  expect(status).toBe(2);
  expect(stderr).toContain('was not written by fanfold');
  expect(readFileSync(foreign, 'utf8')).toBe('mine');
});
