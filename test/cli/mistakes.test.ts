import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { fanfold, results, TASKS } from './command.ts';
import { inThisProcess } from './in-this-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-mistakes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(name: string, text: string | Uint8Array): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const PACKAGE = join(import.meta.dirname, '../../src/index.ts');
const twoOfOneName = `import { defineTask } from '${PACKAGE}';
export const a = defineTask({ name: 'same', run: () => 1 });
export const b = defineTask({ name: 'same', run: () => 2 });`;

it.each([
  [{ AWS_REGION: undefined }, 'No AWS region is configured: set AWS_REGION'],
  [{ AWS_REGION: 'eu-west-1' }, /There are no AWS credentials \(.*\): set AWS_PROFILE/],
])('the error names what is missing to reach a stack (%j)', async (environment, sentence) => {
  const none = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  for (const [name, value] of Object.entries({ ...none, ...environment })) vi.stubEnv(name, value);
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  vi.stubEnv('AWS_ACCESS_KEY_ID', undefined);
  const { status, stderr } = await fanfold(['runs', '--stack', 'Photos']);
  vi.unstubAllEnvs();
  expect(stderr).toMatch(sentence);
  expect(status).toBe(3);
});

describe('a user’s mistake gets a sentence and status 2', () => {
  const jsonl = file('good.jsonl', '1\n2\n');
  const cases: [string, string[], string | RegExp][] = [
    ['no command', [], 'Usage: fanfold'],
    ['an unknown command', ['runn'], "unknown command 'runn'"],
    ['an unknown option', ['run', 'echo', '--outptu', 'x'], "unknown option '--outptu'"],
    [
      'an unknown task',
      ['run', 'ecko', '--range', '1'],
      'There is no task named "ecko". Did you mean "echo"?',
    ],
    [
      'an empty output',
      ['run', 'echo', '--range', '1', '--output', ''],
      '--output is empty: give it a value, or leave it out',
    ],
    ['an empty queue', ['sqs', '--queue', 'a', '--queue', ''], '--queue is empty'],
    ['no inputs', ['run', 'echo'], 'Name a source of inputs'],
    [
      'two kinds of inputs',
      ['run', 'echo', '--range', '1', '--input', jsonl],
      '--input and --range each name',
    ],
    ['a range that is none', ['run', 'echo', '--range', '1-5'], 'like 10 or 1..10; got "1-5"'],
    ['a range that ends first', ['run', 'echo', '--range', '5..1'], 'ends before it starts'],
    [
      'workers that are no number',
      ['run', 'echo', '--range', '1', '--workers', 'two'],
      'got "two"',
    ],
    [
      'a missing input',
      ['run', 'echo', '--input', 'nowhere.jsonl'],
      'nowhere.jsonl cannot be read: there is no such file',
    ],
    ['a folder as input', ['run', 'echo', '--input', folder], 'is a folder'],
    [
      'JSON that is malformed',
      ['run', 'echo', '--input', file('bad.jsonl', '1\n\n{"a":\n4\n')],
      /bad\.jsonl, line 3: the input is not JSON/,
    ],
    [
      'an array in a .json file',
      ['run', 'echo', '--input', file('array.json', '[1,2]')],
      "jq -c '.[]'",
    ],
    [
      'an array over lines',
      ['run', 'echo', '--input', file('array.jsonl', '[\n1,\n2\n]\n')],
      "jq -c '.[]'",
    ],
    [
      'a CSV row of other length',
      ['run', 'echo', '--input', file('bad.csv', 'a,b\n1,2\n3\n')],
      /bad\.csv, line 3: the row has 1 field, the header names 2/,
    ],
    [
      'bytes that are not UTF-8',
      ['run', 'echo', '--input', file('latin.jsonl', Buffer.from('1\n"\xe9"\n', 'latin1'))],
      /latin\.jsonl, line 2: .*not UTF-8/,
    ],
    [
      'an input over the limit',
      ['run', 'echo', '--input', file('long.jsonl', `1\n"${'x'.repeat(1_100_000)}"\n`)],
      /long\.jsonl, line 2: .*at most 1046528/,
    ],
    ['a pattern without files', ['run', 'echo', '--glob', `${folder}/*.none`], 'matches no file'],
    [
      'an output without a folder',
      ['run', 'echo', '--range', '1', '--output', join(folder, 'none/x')],
      'does not exist. Create it first',
    ],
    [
      'an output that is the input',
      ['run', 'echo', '--input', jsonl, '--output', jsonl],
      'is the input',
    ],
    [
      'a tasks module that is not there',
      ['tasks', '--tasks', 'nowhere.ts'],
      'nowhere.ts does not exist',
    ],
    ['a folder for one', ['tasks', '--tasks', folder], 'is a folder: name a file in it'],
    [
      'one with a syntax error',
      ['tasks', '--tasks', file('syntax.ts', 'const a = 1;\nexport const = ;\n')],
      /syntax\.ts cannot be used: .*syntax\.ts:2/,
    ],
    [
      'one with a missing import',
      ['tasks', '--tasks', file('imports.ts', "import './nowhere.ts';")],
      /imports\.ts cannot be used: .*imports\.ts:1:8: Could not resolve "\.\/nowhere\.ts"/,
    ],
    [
      'one that throws',
      ['tasks', '--tasks', file('throws.ts', "\n\nthrow new Error('on load');")],
      /cannot be used: on load \(.*throws\.ts:3:7\)/,
    ],
    [
      'one that exits',
      ['run', 'echo', '--range', '1', '--tasks', file('exits.ts', 'process.exit(7);')],
      'ended with exit code 7',
    ],
    [
      'one that ends as if all were well',
      ['tasks', '--tasks', file('ends.ts', 'process.exit(0);')],
      'ended with exit code 0',
    ],
    [
      'one that waits for nothing',
      ['tasks', '--tasks', file('waits.ts', 'await new Promise(() => {});')],
      'cannot be used: its top-level await can never settle',
    ],
    [
      'one that waits for nothing, of a run',
      ['run', 'echo', '--range', '1', '--tasks', join(folder, 'waits.ts')],
      'cannot be used: its top-level await can never settle',
    ],
    [
      'one without tasks',
      ['tasks', '--tasks', file('none.ts', 'export const a = 1;')],
      'exports no task',
    ],
    [
      'two tasks of one name',
      ['tasks', '--tasks', file('twice.ts', twoOfOneName)],
      'have the name "same"',
    ],
  ];

  it.each(cases)('%s', async (_, args, sentence) => {
    const { status, stdout, stderr } = await inThisProcess(args);
    if (sentence instanceof RegExp) expect(stderr).toMatch(sentence);
    else expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/^\s+at |stopped: 0 of/m);
    expect([status, stdout]).toEqual([2, '']);
  });
});

it('a missing built-in task is explained if package.json names other tasks, and can be selected', async () => {
  file('package.json', JSON.stringify({ fanfold: { tasks: TASKS } }));
  const run = ['run', 'echo', '--range', '1', '--workers', '1'];
  const { status, stderr } = await fanfold(run, '', folder);
  expect(stderr).toContain(
    `The tasks module is ${TASKS}, which package.json names; "echo" is a built-in task: use --tasks fanfold/tasks.`,
  );
  expect(status).toBe(2);
  expect(await fanfold([...run, '--tasks', 'fanfold/tasks'], '', folder)).toMatchObject({
    status: 0,
    stdout: expect.stringContaining('"output":0'),
  });
  const mistyped = await fanfold(['run', 'sam', '--range', '1'], '', folder);
  expect(mistyped.stderr).toMatch(/Did you mean "same"\? Known tasks: [^.]*\.\n$/);
});

it('results from before a malformed line are kept', async () => {
  const lines = Array.from({ length: 30_000 }, (_, n) => String(n));
  const { status, stdout, stderr } = await fanfold(
    ['run', 'same', '--tasks', TASKS, '--input', '-', '--workers', '2'],
    `${lines.join('\n')}\n{oops\n`,
  );
  expect(status).toBe(2);
  expect(stderr).toContain('standard input, line 30001: the input is not JSON');
  expect(stderr).toMatch(/stopped: \d+ of \d+ inputs/);
  for (const { status } of results(stdout)) expect(status).toBe('ok');
});

it('--help and --version give status 0', async () => {
  for (const args of [['--help'], ['run', '--help'], ['--version']]) {
    const { status, stdout } = await fanfold(args);
    expect(status).toBe(0);
    expect(stdout).not.toBe('');
  }
});

it('--help of each command describes its options', async () => {
  const phrases: Record<string, string> = {
    run: 'resume a run that ended early',
    serve: 'serve SQS and Lambda on a port',
    work: 'run them in worker processes on this machine',
    tasks: 'list the tasks that can be run',
    runs: 'list unfinished runs, oldest first',
    status: 'show the progress of a run',
    collect: 'if it already belongs to this run, results are appended',
    cancel: 'inputs without a result end as cancelled',
    redrive: 'from the dead-letter queue back to the task queue',
    doctor: 'check for problems before and after a deployment',
    sqs: 'create this queue on startup; repeat for more',
  };
  const words = (text: string) => text.replaceAll(/\s+/g, ' ');
  for (const [command, phrase] of Object.entries(phrases)) {
    const { status, stdout } = await inThisProcess([command, '--help']);
    expect(status).toBe(0);
    expect(words(stdout)).toContain(phrase);
  }
  const { stderr } = await inThisProcess(['run', '--nonsense']);
  expect(stderr).toContain('fanfold --help lists the commands');
});
