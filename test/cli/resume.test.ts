import { existsSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Command, fanfold, results, start, TASKS } from './command.ts';

let folder: string;
let output: string;
let number = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanfold-resume-'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  output = join(folder, `results-${++number}.jsonl`);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

// A second worker would only take longer to start.
const run = (task: string, ...args: string[]) => [
  'run',
  task,
  '--tasks',
  TASKS,
  '--workers',
  '1',
  ...args,
];
const written = async () => results(await readFile(output, 'utf8'));
const indexes = (lines: { index: number }[]) =>
  lines.map(({ index }) => index).sort((a, b) => a - b);
const range = (length: number) => Array.from({ length }, (_, index) => index);

/** The results of the file's whole lines. */
async function readWhole() {
  const text = await readFile(output, 'utf8');
  return results(text.slice(0, text.lastIndexOf('\n') + 1));
}

async function untilWritten({ ended }: Command, lines: number): Promise<void> {
  const over = ended.then(({ stderr }) => {
    throw new Error(`It ended too soon: ${stderr}`);
  });
  const enough = async () => {
    const text = await readFile(output, 'utf8').catch(() => '');
    return text.split('\n').length > lines;
  };
  await Promise.race([over, expect.poll(enough, { timeout: 20_000, interval: 5 }).toBe(true)]);
}

/** Runs a command until a number of results are written, and ends it. */
async function interrupted(args: string[], lines: number, signal: NodeJS.Signals) {
  const command = start(args);
  const enough = untilWritten(command, lines);
  await enough;
  command.child.kill(signal);
  return command.ended;
}

describe('--resume', () => {
  it.each(['SIGKILL', 'SIGINT'] as const)(
    'continues after %s, and runs only the missing inputs',
    async (signal) => {
      const args = run('waits', '--range', '400', '--output', output, '--workers', '2');
      await interrupted(args, 100, signal);
      const before = indexes(await readWhole());
      expect(before.length).toBeGreaterThan(0);
      expect(before.length).toBeLessThan(400);
      const { status, stderr } = await fanfold([...args, '--resume']);
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(stderr).toContain(
        `400 inputs = 400 ok + 0 failed + 0 cancelled, ${before.length} of them from earlier`,
      );
      expect(indexes(await written())).toEqual(range(400));
    },
  );

  it('prints the command that resumes on Ctrl-C, quoted for a shell', async () => {
    const input = join(folder, "it's here.txt");
    await writeFile(input, 'x\n'.repeat(400));
    const args = run('waits', '--input', input, '--output', output, '--workers', '2');
    const { status, stderr } = await interrupted(args, 50, 'SIGINT');
    expect(status).toBe(130);
    const line = /to resume it: npx fanfold (.*)/.exec(stderr)?.[1] ?? '';
    const words = (line.match(/'(?:[^']|'\\'')*'|\S+/g) ?? []).map((word) =>
      word.replace(/^'|'$/g, '').replaceAll("'\\''", "'"),
    );
    expect(words).toEqual([...args, '--resume']);
    expect((await fanfold(words)).status).toBe(0);
    expect(indexes(await written())).toEqual(range(400));
  });

  it('runs the input of an incomplete last line again', async () => {
    const args = run('same', '--range', '10', '--output', output);
    await fanfold(args);
    const text = await readFile(output, 'utf8');
    const half = text.lastIndexOf('{') + 20;
    await truncate(output, half);
    expect((await fanfold([...args, '--resume'])).status).toBe(0);
    expect(indexes(await written())).toEqual(range(10));
  });

  it('does not trust a last line without a line feed, even if it ends within a character', async () => {
    const args = run('same', '--input', '-', '--output', output);
    await fanfold(args, '"a"\n"b"\n');
    await appendFile(
      output,
      Buffer.from('{"index":1,"status":"ok","output":{"text":"\u20ac"}').subarray(0, -4),
    );
    const { status, stderr } = await fanfold([...args, '--resume'], '"a"\n"b"\n');
    expect({ status, stderr }).toMatchObject({ status: 0 });
    expect(indexes(await written())).toEqual([0, 1]);
  });

  it('with --retry-failed runs only the failed inputs again', async () => {
    const args = run('odd-fails', '--range', '20', '--output', output, '--workers', '1');
    const fixed = join(folder, `fixed-${number}`);
    vi.stubEnv('FANFOLD_TEST_FIXED', fixed);
    expect((await fanfold(args)).status).toBe(1);
    const failed = (await written()).filter(({ status }) => status === 'failed');
    expect(indexes(failed)).toEqual(range(20).filter((index) => index % 2 === 1));
    const kept = (await written()).filter(({ status }) => status === 'ok');
    await writeFile(fixed, '');
    const again = await fanfold([...args, '--resume', '--retry-failed']);
    expect(again).toMatchObject({ status: 0 });
    const all = await written();
    expect(indexes(all)).toEqual(range(20));
    // Earlier results are unchanged: their inputs did not run again.
    expect(all).toEqual(expect.arrayContaining(kept));
  });

  it('runs cancelled inputs', async () => {
    const args = run('odd-fails', '--range', '200', '--output', output, '--workers', '1');
    const { status, stderr } = await fanfold([...args, '--max-failures', '3']);
    expect(status).toBe(1);
    expect(stderr).toContain('ended early');
    expect(indexes(await written())).toEqual(range(200));
    expect((await written()).some((line) => line.status === 'cancelled')).toBe(true);
    expect((await fanfold([...args, '--resume'])).status).toBe(1);
    expect(indexes(await written())).toEqual(range(200));
    expect((await written()).some((line) => line.status === 'cancelled')).toBe(false);
  });

  it('keeps the order of an ordered run', async () => {
    const args = run('waits', '--range', '300', '--output', output, '--workers', '2', '--ordered');
    await interrupted(args, 50, 'SIGKILL');
    expect((await fanfold([...args, '--resume'])).status).toBe(0);
    expect((await written()).map(({ index }) => index)).toEqual(range(300));
  });

  it('joins inputs to new results', async () => {
    const args = run(
      'waits',
      '--range',
      '7..306',
      '--output',
      output,
      '--workers',
      '2',
      '--with-input',
    );
    await interrupted(args, 50, 'SIGKILL');
    expect((await fanfold([...args, '--resume'])).status).toBe(0);
    const lines = await written();
    expect(indexes(lines)).toEqual(range(300));
    for (const { index, input } of lines) expect(input).toBe(index + 7);
  });

  it('does nothing if all inputs are done', async () => {
    const args = run('same', '--range', '10', '--output', output);
    await fanfold(args);
    const text = await readFile(output, 'utf8');
    const { status, stderr } = await fanfold([...args, '--resume']);
    expect(status).toBe(0);
    expect(stderr).toContain('10 of them from earlier');
    expect(await readFile(output, 'utf8')).toBe(text);
  });

  it('compares a stream while it is read', async () => {
    const args = run('same', '--input', '-', '--output', output);
    await fanfold(args, '1\n2\n3\n');
    await truncate(output, 0);
    const { status, stderr } = await fanfold([...args, '--resume'], '1\n7\n3\n');
    expect(status).toBe(2);
    expect(stderr).toContain('input 1 has changed');
    expect((await fanfold([...args, '--resume'], '1\n2\n3\n')).status).toBe(0);
    expect(indexes(await written())).toEqual([0, 1, 2]);
  });
});

describe('an output', () => {
  it('is written by one command at a time', async () => {
    const args = run('waits', '--range', '5000', '--output', output, '--workers', '1');
    const command = start(args);
    await untilWritten(command, 10);
    for (const more of [['--overwrite'], ['--resume']]) {
      const { status, stderr } = await fanfold([...args, ...more]);
      expect(stderr).toContain(`Another fanfold command is writing ${output}`);
      expect(status).toBe(2);
    }
    expect(command.child.exitCode).toBeNull();
    command.child.kill('SIGKILL');
    await command.ended;
    const there = indexes(await readWhole());
    expect(there.length).toBeGreaterThan(10);
    expect(new Set(there).size).toBe(there.length);
    // Its lock ended with it, and the next command removes the file that stood for it.
    expect(existsSync(`${output}.run.lock`)).toBe(true);
    expect(
      (await fanfold(run('same', '--range', '3', '--output', output, '--overwrite'))).status,
    ).toBe(0);
    expect(existsSync(`${output}.run.lock`)).toBe(false);
  });

  it('runs the inputs alone that were appended, and says how many they are', async () => {
    const args = run('same', '--range', '10', '--output', output);
    await fanfold(args);
    const text = await readFile(output, 'utf8');
    const again = await fanfold(args);
    expect(again).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--resume.*--overwrite/),
    });
    const more = run('same', '--range', '12', '--output', output, '--resume');
    const { status, stderr } = await fanfold(more);
    expect(stderr).toContain('resuming after 10 results (10 ok, 0 failed); 2 inputs are new');
    expect(status).toBe(0);
    expect(await readFile(output, 'utf8')).toMatch(new RegExp(`^${text}(.*\\n){2}$`));
    // Once more, with the first end and the second in the record; from standard input, too.
    const input = Array.from({ length: 14 }, (_, n) => `${n}\n`).join('');
    const piped = await fanfold(run('same', '--input', '-', '--output', output, '--resume'), input);
    expect(piped.status).toBe(0);
    expect(indexes(await readWhole())).toHaveLength(14);
  });

  it('is emptied when the record of what it held is gone', async () => {
    await fanfold(run('same', '--range', '3', '--output', output));
    const text = await readFile(output, 'utf8');
    await rm(`${output}.run`);
    await mkdir(`${output}.run`);
    const { status } = await fanfold(
      run('same', '--range', '5', '--output', output, '--overwrite'),
    );
    expect(status).toBe(2);
    expect(await readFile(output, 'utf8')).toBe(text);
  });
});

describe('--resume refuses', () => {
  const begun = (...more: string[]) =>
    fanfold(run('same', '--range', '10', '--output', output, ...more));
  const resumed = (task: string, ...args: string[]) =>
    fanfold(run(task, '--output', output, '--resume', ...args));

  it.each([
    ['other inputs', ['--range', '1..10'], 'input 0 has changed'],
    ['fewer inputs', ['--range', '9'], 'there were at least 10, and now there are fewer'],
    ['another order', ['--range', '10', '--ordered'], 'was started without --ordered'],
    ['other lines', ['--range', '10', '--with-input'], 'was started without --with-input'],
  ])('%s', async (_, args, sentence) => {
    await begun();
    const text = await readFile(output, 'utf8');
    const { status, stderr } = await resumed('same', ...args);
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
    expect(await readFile(output, 'utf8')).toBe(text);
  });

  it('another task', async () => {
    await begun();
    const { status, stderr } = await resumed('waits', '--range', '10');
    expect(stderr).toContain('has results of the task "same", not of "waits"');
    expect(status).toBe(2);
  });

  it('results without their record, and a record without its results', async () => {
    await begun();
    await rm(output);
    const missing = await resumed('same', '--range', '10');
    expect(missing.stderr).toContain('it does not exist');
    expect(missing.status).toBe(2);
    await begun();
    await rm(`${output}.run`);
    const { status, stderr } = await resumed('same', '--range', '10');
    expect(stderr).toContain(`there is no ${output}.run`);
    expect(status).toBe(2);
  });

  it('a file with other content, and names the line', async () => {
    await begun();
    const lines = (await readFile(output, 'utf8')).split('\n');
    await writeFile(output, lines.with(3, 'hello').join('\n'));
    const { status, stderr } = await resumed('same', '--range', '10');
    expect(stderr).toContain(`${output}, line 4: this line is not a result`);
    expect(status).toBe(2);
    await writeFile(`${output}.run`, 'hello\n');
    expect((await resumed('same', '--range', '10')).stderr).toContain('is not a record of fanfold');
  });

  it.each([
    [['--resume'], 'name it with --output'],
    [['--retry-failed'], '--retry-failed works only with --resume'],
    [['--output', 'x', '--resume', '--retry-failed', '--ordered'], 'leave one of them out'],
  ])('%j', async (args, sentence) => {
    const { status, stderr } = await fanfold(run('same', '--range', '3', ...args));
    expect(stderr).toContain(sentence);
    expect(status).toBe(2);
  });
});
