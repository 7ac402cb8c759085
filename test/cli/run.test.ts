import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fanfold, isRunning, results, start, TASKS } from './command.ts';
import { inThisProcess } from './in-this-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string) => join(folder, name);
function file(name: string, text: string | Uint8Array): string {
  writeFileSync(path(name), text);
  return path(name);
}

describe('fanfold run', () => {
  it('shares inputs among workers as they become free, with each result once and its time', async () => {
    const inputs = [2, 0, 0, 0, 1, 0].map((seconds) => JSON.stringify({ seconds })).join('\n');
    const startedAt = performance.now();
    const { status, stdout, stderr } = await fanfold(
      ['run', 'sleep', '--input', '-', '--workers', '2'],
      inputs,
    );
    const seconds = (performance.now() - startedAt) / 1000;
    expect(status).toBe(0);
    const got = results(stdout).sort((a, b) => a.index - b.index);
    expect(got.map(({ output }) => output)).toEqual([2, 0, 0, 0, 1, 0]);
    for (const { output, ms } of got)
      expect(Number(ms)).toBeGreaterThanOrEqual(Number(output) * 990);
    expect(new Set(got.map(({ worker }) => worker))).toEqual(new Set(['worker-1', 'worker-2']));
    // The worker that slept two seconds ran nothing else: the other one ran the rest.
    expect(got.filter(({ worker }) => worker === got[0]?.worker)).toHaveLength(1);
    expect(seconds).toBeLessThan(10);
    expect(stderr).toContain('6 inputs = 6 ok + 0 failed + 0 cancelled, in ');
  });

  it('keeps standard output for results, in order where asked, with the input where asked', async () => {
    const lines = Array.from({ length: 2_000 }, (_, n) => JSON.stringify({ n }));
    const { status, stdout, stderr } = await fanfold(
      [
        'run',
        'prints',
        '--tasks',
        TASKS,
        '--input',
        '-',
        '--ordered',
        '--with-input',
        '--workers',
        '2',
      ],
      `${lines.join('\r\n')}\r\n\n`,
    );
    expect(status).toBe(0);
    expect(results(stdout).map(({ index, output, input }) => [index, output, input])).toEqual(
      lines.map((_, n) => [n, { n }, { n }]),
    );
    expect(stderr).toMatch(/^\{"time":.*"index":\d,.*"message":"printed by the task"\}$/m);
    expect(stderr).toMatch(
      /^\{"time":.*"worker":"worker-[12]","message":"written by the task"\}$/m,
    );
  });

  it('reads each format, ranges and globs', async () => {
    const csv = file('rows.csv', '\ufeffid,note\n1,"a, ""b""\nc"\n2,é\n');
    const txt = file('lines.txt', 'one\n\nthree "quoted"');
    const outputs = async (...args: string[]) => {
      const { stdout } = await inThisProcess([
        'run',
        'echo',
        '--ordered',
        '--workers',
        '1',
        ...args,
      ]);
      return results(stdout).map(({ output }) => output);
    };
    expect(await outputs('--input', csv)).toEqual([
      { id: '1', note: 'a, "b"\nc' },
      { id: '2', note: 'é' },
    ]);
    expect(await outputs('--input', txt)).toEqual(['one', '', 'three "quoted"']);
    expect(await outputs('--range', '3')).toEqual([0, 1, 2]);
    expect(await outputs('--range', '7..9')).toEqual([7, 8, 9]);
    expect(await outputs('--glob', `${folder}/*.{csv,txt}`)).toEqual([txt, csv].sort());
  });

  it('hashes files as sha256sum does', async () => {
    const files = 'src/cli/*.ts';
    const output = path('hashes.jsonl');
    const { status } = await fanfold(['run', 'sha256', '--glob', files, '--output', output]);
    expect(status).toBe(0);
    const ours = results(readFileSync(output, 'utf8')).map(({ output }) => {
      const { path, sha256 } = output as { path: string; sha256: string };
      return `${sha256}  ${path}`;
    });
    const theirs = execFileSync('sh', ['-c', `sha256sum ${files}`], { encoding: 'utf8' });
    expect(ours.sort()).toEqual(theirs.trim().split('\n').sort());
  });

  it('ends with an empty ledger if there are no inputs', async () => {
    const { status, stdout, stderr } = await fanfold(['run', 'echo', '--input', '-'], '\n');
    expect([status, stdout]).toEqual([0, '']);
    expect(stderr).toContain('0 inputs = 0 ok + 0 failed + 0 cancelled');
  });

  it('prints only errors with --quiet', async () => {
    const { stderr } = await inThisProcess(['run', 'echo', '--range', '3', '--quiet']);
    expect(stderr).toBe('');
  });

  it('survives whatever a task does, and balances the ledger', async () => {
    const fates = {
      throws: 'TaskFailed',
      bigint: 'OutputNotJson',
      hangs: 'TimedOut',
      exits: 'WorkerDied',
      'exits well': 'WorkerDied',
      'is killed': 'WorkerDied',
      'throws later': 'WorkerDied',
    };
    const hows = Object.keys(fates).flatMap((how) => ['fine', how, 'fine']);
    const txt = file('wild.txt', hows.join('\n'));
    const { status, stdout, stderr } = await fanfold([
      'run',
      'wild',
      '--tasks',
      TASKS,
      '--input',
      txt,
      '--ordered',
      '--workers',
      '2',
    ]);
    expect(status).toBe(1);
    const ends = results(stdout).map(({ error, output }) =>
      error === undefined ? output : (error as { code: string }).code,
    );
    expect(ends).toEqual(hows.map((how) => fates[how as keyof typeof fates] ?? 'fine'));
    expect(stdout).toContain('exit code 3');
    expect(stdout).toContain('RangeError: stray');
    expect(stderr).toContain('21 inputs = 14 ok + 7 failed + 0 cancelled');
    expect(stderr).toContain('1 failed, input 1: TaskFailed: TypeError: thrown: of a cause');
  });

  it('carries an input and its output that no message can hold', async () => {
    const long = 'x'.repeat(3_000_000);
    const jsonl = file('long.jsonl', `1\n${JSON.stringify(long)}\n2\n`);
    const line = ['run', 'echo', '--tasks', 'fanfold/tasks', '--workers', '2', '--ordered'];
    const { status, stdout } = await fanfold([...line, '--input', jsonl]);
    expect(status).toBe(0);
    expect(results(stdout).map(({ output }) => output === long || output)).toEqual([1, true, 2]);
  });

  it('ends quietly when its reader closes the pipe', async () => {
    const { child, ended } = start(['run', 'echo', '--range', '1000000', '--workers', '2']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    const { status, stderr } = await ended;
    expect(status).toBe(0);
    expect(stderr).not.toMatch(/EPIPE|Error/);
  });
});

describe('an interrupted run', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)(
    'ends soon on %s, reports its progress, and leaves whole lines',
    async (signal, code) => {
      const output = path(`${signal}.jsonl`);
      const pids = path(`${signal}.pids`);
      const inputs = Array.from({ length: 50 }, (_, n) =>
        JSON.stringify({ file: pids, ms: n < 4 ? 0 : 5_000 }),
      );
      const jsonl = file(`${signal}.in.jsonl`, inputs.join('\n'));
      const { child, said, ended } = start([
        'run',
        'noted',
        '--tasks',
        TASKS,
        '--input',
        jsonl,
        '--output',
        output,
        '--workers',
        '2',
      ]);
      const noted = () => {
        try {
          return readFileSync(pids, 'utf8').trim().split('\n');
        } catch {
          return [];
        }
      };
      await expect.poll(() => noted().length, { timeout: 20_000 }).toBe(6);
      await expect
        .poll(() => readFileSync(output, 'utf8'), { timeout: 5_000 })
        .toMatch(/(.+\n){4}/);
      const stoppedAt = performance.now();
      child.kill(signal);
      const { status } = await ended;
      expect(performance.now() - stoppedAt).toBeLessThan(2_000);
      expect(status).toBe(code);
      expect(said()).toContain('interrupted: 4 of 50 inputs read so far are done (4 ok, 0 failed)');
      expect(results(readFileSync(output, 'utf8'))).toHaveLength(4);
      for (const line of noted()) expect(isRunning(Number.parseInt(line, 10))).toBe(false);
    },
  );

  it('does not wait for an idle standard input', async () => {
    const output = path('idle.jsonl');
    const { child, ended } = start(['run', 'echo', '--input', '-', '--output', output]);
    await expect.poll(() => existsSync(output), { timeout: 20_000 }).toBe(true);
    child.kill('SIGINT');
    expect((await ended).status).toBe(130);
  });

  it('leaves no worker behind when it is killed itself', async () => {
    const pids = path('killed.pids');
    const jsonl = file('killed.jsonl', JSON.stringify({ file: pids, ms: 20_000 }));
    const { child, ended } = start([
      'run',
      'noted',
      '--tasks',
      TASKS,
      '--input',
      jsonl,
      '--workers',
      '1',
    ]);
    const noted = () => {
      try {
        return Number.parseInt(readFileSync(pids, 'utf8'), 10);
      } catch {
        return 0;
      }
    };
    await expect.poll(noted, { timeout: 20_000 }).toBeGreaterThan(0);
    child.kill('SIGKILL');
    await ended;
    await expect.poll(() => isRunning(noted()), { timeout: 5_000 }).toBe(false);
  });
});
