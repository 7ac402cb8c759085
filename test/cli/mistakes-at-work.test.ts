// Typical mistakes of a first hour in a tasks module or in a task, and what the answers must say.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectAnswer, expectPhrases, filesOf, type Phrase, type Row } from './answers.ts';
import { fanfold, results, TASKS } from './command.ts';
import { inThisProcess } from './in-this-process.ts';

const { folder, file } = filesOf('mistakes-at-work');
const PACKAGE = join(import.meta.dirname, '../../src/index.ts');
const task = (text: string) => `import { defineTask } from '${PACKAGE}';\n${text}`;
const twoOfOneName = task(`export const a = defineTask({ name: 'same', run: () => 1 });
export const b = defineTask({ name: 'same', run: () => 2 });`);
const one = ['--range', '1'];
const tasksOf = (name: string, text: string) => ['tasks', '--tasks', file(name, text)];
file('tasks.ts', task("export const a = defineTask({ name: 'a', run: () => 1 });"));

const MODULES: Row[] = [
  ['a missing module', ['tasks', '--tasks', 'nowhere.ts'], 'nowhere.ts does not exist'],
  ['no extension', ['tasks', '--tasks', join(folder, 'tasks')], /Did you mean .*tasks\.ts\?/],
  ['a folder', ['tasks', '--tasks', folder], 'is a folder: name a file in it'],
  [
    'a syntax error',
    tasksOf('syntax.ts', 'const a = 1;\nexport const = ;\n'),
    /syntax\.ts cannot be used: .*syntax\.ts:2/,
  ],
  [
    'a missing file',
    tasksOf('imports.ts', "import './nowhere.ts';"),
    /imports\.ts cannot be used: .*imports\.ts:1:8: Could not resolve "\.\/nowhere\.ts"/,
  ],
  [
    'a package that is not installed',
    tasksOf('package.ts', "import 'not-installed/sub';"),
    "Cannot find package 'not-installed'",
    'npm install not-installed.',
  ],
  [
    '`require` of a package that is not installed',
    tasksOf('package.cjs', "require('@not/installed');"),
    'npm install @not/installed.',
  ],
  [
    'an error on load',
    tasksOf('throws.ts', "\n\nthrow new Error('on load');"),
    /cannot be used: on load \(.*throws\.ts:3:7\)/,
  ],
  [
    'an exit',
    ['run', 'echo', ...one, ...tasksOf('exits.ts', 'process.exit(7);').slice(1)],
    'code 7',
  ],
  ['an end as if all were well', tasksOf('ends.ts', 'process.exit(0);'), 'ended with exit code 0'],
  [
    'a wait for nothing',
    tasksOf('waits.ts', 'await new Promise(() => {});'),
    'cannot be used: its top-level await can never settle',
  ],
  [
    'no `export`',
    tasksOf('private.ts', task("const a = defineTask({ name: 'a', run: () => 1 });")),
    'it exports nothing',
    'export const mine = defineTask(',
  ],
  [
    'a plain function',
    tasksOf('function.ts', 'export const resize = () => 1;'),
    '`resize` is a function, not a task',
    'export const mine = defineTask(',
  ],
  [
    'tasks in a default export',
    tasksOf('object.ts', task("export default { a: defineTask({ name: 'a', run: () => 1 }) };")),
    '`default` is an object that holds tasks',
    'export const mine = defineTask(',
  ],
  [
    'p-map’s option of a task',
    tasksOf(
      'retries.ts',
      task("export const a = defineTask({ name: 'a', retries: 3, run() {} });"),
    ),
    'no option `retries`. Did you mean `maxAttempts`?',
  ],
  ['two tasks of one name', tasksOf('twice.ts', twoOfOneName), 'have the name "same"'],
];

describe('a tasks module that cannot be used: status 2 and a sentence', () => {
  it.each(MODULES)('%s', (_, args, ...phrases) => expectAnswer(args, 2, phrases));
});

const common = "maxAttempts: 1, timeoutSeconds: 0.3, name: 'mine', run: async (input) =>";

/** A mistake in a task over the input 0, the exit status, and phrases of the result. */
const IN_TASKS: [mistake: string, code: string, status: number, ...phrases: Phrase[]][] = [
  ['an enum, which Node does not load', 'enum A { B = 7 } return A.B;', 0, '"output":7'],
  ['a thrown text', "throw 'a text';", 1, '"TaskFailed"', '"message":"a text"'],
  ['nothing thrown', 'throw undefined;', 1, '"TaskFailed"', '"message":"undefined"'],
  ['a missing package', "require('nowhere');", 1, '"TaskFailed"', "Cannot find module 'nowhere'"],
  ['an exit', 'process.exit(0);', 1, '"WorkerDied"', 'exit code 0'],
  ['no end', 'await new Promise(() => {});', 1, '"TimedOut"', 'timeoutSeconds, 0.3 s'],
  ['a Map as output', 'return new Map() as object;', 1, '"OutputNotJson"', 'a Map'],
  ['a BigInt as output', 'return 1n as unknown;', 1, '"OutputNotJson"', 'BigInt'],
  [
    'a promise that nobody awaits, rejected with a text',
    "void Promise.reject('a text'); await new Promise(() => {});",
    1,
    '"WorkerDied"',
    /string: a text, which the task \\"mine\\" did not catch for input 0: await the promises/,
  ],
  [
    'one rejected with an object',
    'void Promise.reject({ why: 5 }); await new Promise(() => {});',
    1,
    /object: \{ why: 5 \}, which the task/,
  ],
];

describe('a task that does not do what its author expects', () => {
  it.each(IN_TASKS)('%s', async (mistake, code, status, ...phrases) => {
    const isDeclared = code.startsWith('enum');
    const [declared, body] = isDeclared ? code.split(/(?<=\}) /, 2) : ['', code];
    const module = file(
      `${mistake.replaceAll(/\W/g, '-')}.ts`,
      task(`${declared}\nexport const mine = defineTask({ ${common} { ${body} } });`),
    );
    const ended = await inThisProcess(['run', 'mine', ...one, '--workers', '1', '--tasks', module]);
    expectPhrases(ended.stdout, phrases);
    expect(ended.stderr).not.toMatch(/^\s+at /m);
    expect(ended.status).toBe(status);
  });
});

it('an input file without inputs, or one array on one line, is mentioned', async () => {
  const run = (name: string, text: string) =>
    inThisProcess(['run', 'echo', '--workers', '1', '--input', file(name, text)]);
  for (const [name, text] of Object.entries({ 'a.jsonl': '', 'a.csv': 'only,a,header\n' })) {
    expect(await run(name, text)).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('0 inputs: nothing was run'),
    });
  }
  const { status, stderr } = await run('array.jsonl', '[1,2,3]\n');
  expectPhrases(stderr, ['one JSON array on one line', '3 elements', "jq -c '.[]'"]);
  expect(status).toBe(0);
  const marked = await run('marked.jsonl', '\ufeff[1]\n');
  expect(marked).toMatchObject({ status: 0, stderr: expect.not.stringContaining('jq') });
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
