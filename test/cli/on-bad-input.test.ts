import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { results } from './command.ts';
import { inThisProcess } from './in-this-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-bad-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let input: string;
let output: string;
let number = 0;
beforeEach(() => {
  const name = join(folder, String(++number));
  input = `${name}.jsonl`;
  output = `${name}.out`;
  writeFileSync(input, LINES);
});
const LINES = '{bad\n1\n2\nnope\n3\n';

const run = (...args: string[]) =>
  inThisProcess(['run', 'echo', '--input', input, '--workers', '1', ...args]);
const written = () =>
  results(readFileSync(output, 'utf8')).sort((one, other) => one.index - other.index);
const outcomes = () =>
  written().map(({ status, output: value, error }) =>
    status === 'ok' ? value : (error as { place: string }).place,
  );

describe('--on-bad-input report', () => {
  it('ends each bad input failed, with its place and text, at its own index', async () => {
    const { status, stderr } = await run('--on-bad-input', 'report', '--output', output);
    expect(status).toBe(1);
    expect(stderr).toContain('5 inputs = 3 ok + 2 failed + 0 cancelled');
    expect(stderr).toContain(`InvalidInput: ${input}, line 1: the input is not JSON`);
    expect(stderr).not.toContain('to run failed inputs again');
    expect(stderr).toMatch(/the 2 bad inputs, correct the file first, then: .*=InvalidInput$/m);
    expect(outcomes()).toEqual([`${input}, line 1`, 1, 2, `${input}, line 4`, 3]);
    const error = { code: 'InvalidInput', text: 'nope', attempts: 0 };
    expect(written()[3]).toMatchObject({ index: 3, status: 'failed', error });
  });

  it('survives --resume: results stay, new inputs run, and a failed one is reported again', async () => {
    const args = ['--on-bad-input', 'report', '--output', output];
    await run(...args);
    const before = readFileSync(output, 'utf8');
    expect((await run(...args, '--resume')).status).toBe(1);
    expect(readFileSync(output, 'utf8')).toBe(before);
    writeFileSync(input, `${LINES}worse\n4\n`);
    const more = await run(...args, '--resume', '--retry-failed');
    expect(more.stderr).toContain('7 inputs = 4 ok + 3 failed');
    const [first, fourth, sixth] = [1, 4, 6].map((line) => `${input}, line ${line}`);
    expect(outcomes()).toEqual([first, 1, 2, fourth, 3, sixth, 4]);
    // A bad line that changes is another input.
    writeFileSync(input, LINES.replace('nope', 'none'));
    const changed = await run(...args, '--resume');
    expect(changed.status).toBe(2);
    expect(changed.stderr).toContain(`input 3 (${input}, line 4) has changed`);
  });

  it('lets failed inputs be corrected in their places and run again, and no others', async () => {
    const args = ['--on-bad-input', 'report', '--output', output, '--resume', '--retry-failed'];
    await run(...args.slice(0, 4));
    const corrected = LINES.replace('{bad', '0').replace('nope', 'none');
    writeFileSync(input, corrected);
    const { stderr } = await run(...args);
    expect(stderr).toContain('2 failed inputs will run again');
    expect(outcomes()).toEqual([0, 1, 2, `${input}, line 4`, 3]);
    expect(written()[3]).toMatchObject({ error: { text: 'none' } });
    // The corrected inputs are now those of the run.
    expect((await run(...args.slice(0, 5))).status).toBe(1);
    writeFileSync(input, corrected.replace('none', '2.5'));
    expect((await run(...args)).status).toBe(0);
    expect(outcomes()).toEqual([0, 1, 2, 2.5, 3]);
    writeFileSync(input, corrected.replace('none', '2.5').replace('\n2\n', '\n7\n'));
    const changed = await run(...args);
    expect(changed.status).toBe(2);
    expect(changed.stderr).toContain(`input 2 (${input}, line 3) has changed`);
  });

  it('cannot place a change by an older record, but still finds it', async () => {
    const args = ['--on-bad-input', 'report', '--output', output];
    await run(...args);
    const record = `${output}.run`;
    const old = readFileSync(record, 'utf8').replace(/,"(sums|onBadInput)":"[^"]*"/g, '');
    writeFileSync(record, old);
    expect((await run('--output', output, '--on-bad-input', 'report', '--resume')).status).toBe(1);
    writeFileSync(input, LINES.replace('nope', 'none'));
    const changed = await run(...args, '--resume', '--retry-failed');
    expect(changed.stderr).toContain('some of the first 5 have changed');
  });

  it('must be given again with --resume', async () => {
    await run('--on-bad-input', 'report', '--output', output);
    for (const other of [[], ['--on-bad-input', 'skip']]) {
      const { status, stderr } = await run(...other, '--output', output, '--resume');
      expect(status).toBe(2);
      expect(stderr).toContain('was started with --on-bad-input report');
    }
  });

  it('may be given when a run is resumed that ended at a bad input', async () => {
    writeFileSync(input, '1\n2\nnope\n3\n');
    expect((await run('--output', output)).status).toBe(2);
    const { stderr } = await run('--on-bad-input', 'report', '--output', output, '--resume');
    expect(stderr).toContain('4 inputs = 3 ok + 1 failed');
    expect((await run('--output', output, '--resume')).stderr).toContain('--on-bad-input report');
  });

  it.each([
    ['corrected', '1\n2\n2.5\n3\n', [1, 2, 2.5, 3]],
    ['removed', '1\n2\n', [1, 2]],
    ['removed, and another one added', '1\n2\n3\n4\n', [1, 2, 3, 4]],
  ])('is not needed once the bad input is %s', async (_, corrected, values) => {
    writeFileSync(input, '1\n2\nnope\n');
    expect((await run('--output', output)).status).toBe(2);
    writeFileSync(input, corrected);
    expect((await run('--output', output, '--resume')).status).toBe(0);
    expect(outcomes()).toEqual(values);
    writeFileSync(input, '1\n');
    const { stderr } = await run('--output', output, '--resume');
    expect(stderr).toContain('now there are fewer');
  });

  it('ends a run without good inputs', async () => {
    writeFileSync(input, 'a\nb\n');
    const { status, stderr } = await run('--on-bad-input', 'report', '--output', output);
    expect(status).toBe(1);
    expect(stderr).toContain('2 inputs = 0 ok + 2 failed');
    expect(written()).toHaveLength(2);
  });
});

describe('--on-bad-input skip', () => {
  it('leaves bad inputs out, counts the others, and can be resumed', async () => {
    const args = ['--on-bad-input', 'skip', '--output', output];
    const { status, stderr } = await run(...args, '--ordered');
    expect(status).toBe(0);
    expect(stderr).toContain('3 inputs = 3 ok');
    expect(stderr).toContain(`2 bad inputs were left out; the first: ${input}, line 1`);
    expect(outcomes()).toEqual([1, 2, 3]);
    writeFileSync(input, `${LINES}worse\n4\n`);
    expect((await run(...args, '--ordered', '--resume')).status).toBe(0);
    expect(outcomes()).toEqual([1, 2, 3, 4]);
  });

  it('fails if it leaves no input', async () => {
    writeFileSync(input, 'a\nb\n');
    const { status, stderr } = await run('--on-bad-input', 'skip', '--output', output);
    expect(status).toBe(1);
    expect(stderr).toContain('no input was left');
  });
});

it.each([
  [['--on-bad-input', 'ignore'], 'fail, skip, report'],
  [['--on-bad-input', 'report', '--ordered'], 'leave one of them out'],
  [['--on-bad-input', 'fail'], 'line 1: the input is not JSON'],
  [[], '--on-bad-input skip'],
  [[], 'line 1: the input is not JSON'],
])('%j is refused, or ends at the first bad input', async (args, why) => {
  const { status, stderr } = await run(...args);
  expect(status).toBe(2);
  expect(stderr).toContain(why);
});

it('a bad row of CSV that ends the run names the ways to go on', async () => {
  const rows = `${input}.csv`;
  for (const row of ['1,2,3', '1,"x"y']) {
    writeFileSync(rows, `a,b\n${row}\n`);
    const { stderr } = await inThisProcess(['run', 'echo', '--input', rows, '--workers', '1']);
    expect(stderr).toMatch(/line 2: .*--on-bad-input skip.*--on-bad-input report/);
  }
});

it.each(['--range', '--glob'])('is refused with %s, which has no lines', async (source) => {
  const args = ['run', 'echo', source, '2', '--on-bad-input', 'skip'];
  const { status, stderr } = await inThisProcess(args);
  expect(status).toBe(2);
  expect(stderr).toContain(`${source} has none`);
});
