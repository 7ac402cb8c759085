import { execFile, execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { checkOutput, outputOf } from '../../src/cli/check-output.ts';
import { openInputs } from '../../src/cli/inputs/index.ts';
import { openOutput, ReaderLeft } from '../../src/cli/output.ts';
import { RunRecord } from '../../src/cli/resume/record.ts';
import { fanfold, start } from './command.ts';

let folder = '';
const folders: string[] = [];
const path = (name: string) => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-output-'));
  folders.push(folder);
  writeFileSync(path('a.jsonl'), '1\n2\n');
});
afterAll(() => {
  for (const one of folders) rmSync(one, { recursive: true });
});

async function check(output: string, options: { input?: string; glob?: string }) {
  const inputs = await openInputs({ ...options, cwd: folder, maxInputBytes: 100 });
  try {
    checkOutput(path(output), inputs.files, {});
  } finally {
    inputs.close();
  }
}

const refused = (text: string) =>
  expect.objectContaining({ code: 'BadOption', message: expect.stringContaining(text) });

describe('an output that is the input', () => {
  it('is refused under any of its names', async () => {
    linkSync(path('a.jsonl'), path('hard'));
    symlinkSync('a.jsonl', path('soft'));
    symlinkSync('hard', path('by.run'));
    await expect(check('by', { input: 'a.jsonl' })).rejects.toEqual(
      refused(`by also writes ${path('by.run')}, which is the input`),
    );
    for (const output of ['a.jsonl', 'hard', 'soft', 'by']) {
      await expect(check(output, { input: 'a.jsonl' })).rejects.toEqual(refused('is the input'));
      await expect(check(output, { glob: '*.jsonl' })).rejects.toEqual(refused('is the input'));
    }
    for (const output of ['new', 'b.jsonl']) await check(output, { input: 'a.jsonl' });
    writeFileSync(path('old'), '');
    await check('old', { glob: '*.jsonl' });
    expect(readFileSync(path('a.jsonl'), 'utf8')).toBe('1\n2\n');
  });

  it('is also refused on standard input and output', async () => {
    linkSync(path('a.jsonl'), path('hard'));
    const line = (redirected: string) => `"$0" "$@" ${redirected}`;
    const run = ['run', 'echo', '--workers', '1', '--input'];
    const cases = [
      start([...run, '-', '--output', 'hard'], {
        cwd: folder,
        through: ['sh', '-c', line('<a.jsonl')],
      }),
      start([...run, 'a.jsonl'], { cwd: folder, through: ['sh', '-c', line('>>hard')] }),
    ];
    const [read, appended] = await Promise.all(cases.map(({ ended }) => ended));
    expect(read).toMatchObject({ status: 2, stderr: expect.stringContaining('is the input') });
    expect(appended).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Standard output is redirected to the input'),
    });
    expect(readFileSync(path('a.jsonl'), 'utf8')).toBe('1\n2\n');
  });
});

describe('a file beside an output', () => {
  const head = '{"v":1,"task":"echo","ordered":false,"withInput":false,"collector":"x"}\n';

  it.each([
    ['out.run', 'weights\n'],
    ['out.run', '{"v":1,"task":"echo"}\n'],
    ['out.run', '[1]'],
    ['out.run', ''],
    ['out.run', undefined],
    ['out.part', 'half a download'],
    ['out.part', undefined],
  ])('is refused if Fanfold did not write it: %s, %j', (name, content) => {
    if (content === undefined) mkdirSync(path(name));
    else writeFileSync(path(name), content);
    expect(() => checkOutput(path('out'), [], {})).toThrow(refused(path(name)));
    if (name === 'out.run') expect(() => RunRecord.remove(path('out'))).toThrow(refused('record'));
    expect(existsSync(path(name))).toBe(true);
  });

  it('is refused if it is a broken link, as is an output', () => {
    symlinkSync('nowhere', path('out.run'));
    symlinkSync('nowhere', path('to.part'));
    for (const name of ['out', 'to', 'out.run']) {
      expect(() => checkOutput(path(name), [], {})).toThrow(refused(path(name)));
    }
    expect(() => checkOutput(path('out.run'), [], {})).toThrow(refused('is a link to nowhere'));
  });

  it.each([
    ['out.run', head],
    ['out.run', `${head}{"read":`],
    ['out.run', head.slice(0, 5)],
    ['out.run', head.slice(0, 40)],
    ['out.part', '{"index":0,"status":"ok","output":1}\n'],
    ['out.part', ''],
  ])('can be one that an earlier run left: %s, %j', (name, content) => {
    writeFileSync(path(name), content);
    checkOutput(path('out'), [], {});
    RunRecord.remove(path('out'));
    expect(existsSync(path('out.run'))).toBe(false);
  });

  it('is not looked at for what has no record', () => {
    for (const device of ['/dev/null', '/dev/full']) checkOutput(device, [], {});
    for (const name of ['-', '/dev/stdout', '/dev/fd/1']) expect(outputOf(name)).toBeUndefined();
    expect(outputOf('out')).toBe('out');
    expect(() => checkOutput(`${folder}/none/`, [], {})).toThrow(
      refused('is a folder: name a file in it'),
    );
  });
});

describe('an output that exists', () => {
  const head = '{"v":1,"task":"echo","ordered":false,"withInput":false,"collector":"x"}\n';
  const run = '{"runId":"run-1","place":"Photos"}\n';

  it.each([
    ['results and their record', '{"index":0}\n', head, /earlier run.*--resume.*--overwrite/],
    ['a file of another program', 'text', undefined, /exists already.*--overwrite/],
    ['a run elsewhere without results', '', `${head}${run}`, /run-1.*--resume.*--overwrite/],
    ['a run elsewhere whose results are gone', undefined, `${head}${run}`, /run-1.*--resume/],
  ])('is replaced with --overwrite only: %s', (_, content, record, message) => {
    if (content !== undefined) writeFileSync(path('out'), content);
    if (record !== undefined) writeFileSync(path('out.run'), record);
    expect(() => checkOutput(path('out'), [], {})).toThrow(message);
    checkOutput(path('out'), [], { overwrite: true });
    checkOutput(path('out'), [], { resume: true });
  });

  it.each([
    ['{"index":0}\n', /earlier run\. Name another file, or give --overwrite to replace it\.$/],
    ['', /run-1.*\. Name another file, or give --overwrite to replace it\.$/],
  ])('is not resumed by a command without --resume', (content, message) => {
    writeFileSync(path('out'), content);
    writeFileSync(path('out.run'), `${head}${run}`);
    expect(() => checkOutput(path('out'), [], { hasResume: false })).toThrow(message);
    checkOutput(path('out'), [], { hasResume: false, overwrite: true });
  });

  it.each([
    ['an empty file', undefined],
    ['a run here that wrote no result', head],
    ['a run elsewhere that is over', `${head}${run}{"over":true}\n`],
    ['a record of which a part was written', head.slice(0, 40)],
  ])('holds nothing that could be lost: %s', (_, record) => {
    writeFileSync(path('out'), '');
    if (record !== undefined) writeFileSync(path('out.run'), record);
    checkOutput(path('out'), [], {});
  });
});

describe.runIf(process.platform === 'linux')('a named pipe', () => {
  it('receives results from when a reader opens it until the reader closes it', async () => {
    execFileSync('mkfifo', [path('pipe')]);
    const opening = openOutput(path('pipe'));
    const reader = promisify(execFile)('head', ['-c', '3', path('pipe')]);
    const output = await opening;
    expect(output.isFile).toBe(false);
    await output.write('1\n2\n');
    expect((await reader).stdout).toBe('1\n2');
    await expect(output.write('3\n')).rejects.toBeInstanceOf(ReaderLeft);
    await output.close();
  });
});

it('on a full disk, the reported results are those in the file, and --resume continues', async () => {
  const run = ['run', 'echo', '--range', '3000', '--workers', '1', '--output', path('out')];
  // Limits the size of files, in blocks of 512 bytes.
  const full = start(run, { through: ['sh', '-c', 'ulimit -f 100; exec "$0" "$@"'] });
  const { status, stderr } = await full.ended;
  expect(status).toBe(3);
  const written = readFileSync(path('out'), 'utf8').split('\n').length - 1;
  expect(written).toBeGreaterThan(0);
  expect(stderr).toContain(`stopped: ${written} of `);
  expect(stderr).toContain(`(${written} ok, 0 failed)`);
  const again = /to resume it: npx fanfold (.*)/.exec(stderr)?.[1]?.split(' ') ?? [];
  const resumed = await fanfold(again);
  expect(resumed.stderr).toContain(
    `3000 inputs = 3000 ok + 0 failed + 0 cancelled, ${written} of them`,
  );
  expect(readFileSync(path('out'), 'utf8').split('\n')).toHaveLength(3001);
});

it('--quiet still reports that there were no inputs', async () => {
  writeFileSync(path('head.csv'), 'a,b\n');
  const { status, stderr } = await fanfold(['run', 'echo', '--input', path('head.csv'), '--quiet']);
  expect([status, stderr]).toEqual([0, 'fanfold: 0 inputs: nothing was run\n']);
});
