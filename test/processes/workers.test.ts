import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { connect, type Result } from '../../src/index.ts';
import { isRunning, start } from '../cli/command.ts';
import type { blocks, hit, noted, wild } from '../fixtures/tasks.ts';

const tasks = pathToFileURL(join(import.meta.dirname, '../fixtures/tasks.ts'));
const folder = mkdtempSync(join(tmpdir(), 'fanfold-workers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Recorded executions, one per line: process, index, attempt. */
function notes(file: string): [pid: number, index: number, attempt: number][] {
  try {
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    return lines.map((line) => line.split(' ').map(Number) as [number, number, number]);
  } catch {
    return [];
  }
}

/** The worker processes of a process. */
function workersOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  const isWorker = (child: string) => {
    try {
      return readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('processes/child');
    } catch {
      return false;
    }
  };
  return children.filter(isWorker).map(Number);
}

/** Whether a process has used a second of processor time. */
function isBusy(pid: number): boolean {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const user = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[11]);
  return user > 100;
}

const outcomes = (results: Result<unknown>[]) =>
  results
    .toSorted((a, b) => a.index - b.index)
    .map((result) => (result.status === 'failed' ? result.error.code : result.status));

const long = (n: number) => `${n} `.padEnd(100_000, 'x');

describe('worker processes', () => {
  it('run tasks away from this process, under their names', async () => {
    await using fanfold = await connect({ tasks, workers: 2 });
    expect(fanfold.tasks).toEqual([
      'blocks',
      'hit',
      'noted',
      'odd-fails',
      'prints',
      'same',
      'talks',
      'waits',
      'wild',
    ]);
    const inputs = Array.from({ length: 4 }, () => ({ file: join(folder, 'away'), ms: 10 }));
    const pids = new Set<number>();
    // One worker may run all inputs before the other has loaded the tasks.
    await expect
      .poll(
        async () => {
          for await (const pid of fanfold.map<typeof noted>('noted', inputs).outputs()) {
            pids.add(pid);
          }
          return pids.size;
        },
        { timeout: 60_000 },
      )
      .toBe(2);
    expect(pids.has(process.pid)).toBe(false);
    expect(() => fanfold.map('notde', [])).toThrow('Did you mean "noted"?');
  });

  it('that are killed are replaced, and their inputs run again at once', async () => {
    const warnings: string[] = [];
    await using fanfold = await connect({
      tasks,
      workers: 2,
      onWarning: (message) => warnings.push(message),
    });
    const file = join(folder, 'killed');
    const inputs = Array.from({ length: 6 }, (_, n) => ({ file, ms: n === 0 ? 1_500 : 100 }));
    const run = fanfold.map<typeof noted>('noted', inputs);
    const taking = Array.fromAsync(run);
    const victim = () => notes(file).find(([, index]) => index === 0)?.[0] ?? 0;
    await expect.poll(victim).toBeGreaterThan(0);
    process.kill(victim(), 'SIGKILL');
    expect(outcomes(await taking)).toEqual(Array(6).fill('ok'));
    expect(notes(file).filter(([, index]) => index === 0)).toHaveLength(2);
    expect(warnings).toEqual([
      expect.stringMatching(/^worker-\d died \(SIGKILL\) and is replaced$/),
    ]);
  });

  it('that are killed at random, every 100 ms, cost no result and double none', async () => {
    await using fanfold = await connect({ tasks, workers: 3, onWarning() {} });
    const inputs = Array.from({ length: 1_500 }, (_, n) => n);
    const run = fanfold.map<typeof hit>('hit', inputs);
    const results: Result<{ pid: number; square: number }>[] = [];
    let kills = 0;
    const killer = setInterval(() => {
      const recent = results.slice(-300).map((one) => (one.status === 'ok' ? one.output.pid : 0));
      const alive = [...new Set(recent)].filter((pid) => pid > 0 && isRunning(pid));
      const victim = alive[Math.floor(Math.random() * alive.length)];
      // Each costs the start of a process.
      if (victim === undefined || kills >= 8) return;
      process.kill(victim, 'SIGKILL');
      kills++;
    }, 100);
    for await (const result of run) results.push(result);
    clearInterval(killer);
    expect(kills).toBeGreaterThan(5);
    results.sort((a, b) => a.index - b.index);
    expect(results.map((result) => 'output' in result && result.output.square)).toEqual(
      inputs.map((n) => n * n),
    );
    expect(run.ledger).toMatchObject({ inputs: 1_500, ok: 1_500, failed: 0, sealed: true });
  });

  it('that are killed while they hold several chunks lose none of them', async () => {
    await using fanfold = await connect({ tasks, workers: 2, onWarning() {} });
    // So large that each is a chunk, so quick that a worker receives several at once.
    const inputs = Array.from({ length: 200 }, (_, n) => (n % 90 === 69 ? 'is killed' : long(n)));
    const run = fanfold.map<typeof wild>('wild', inputs);
    const results = await Array.fromAsync(run);
    const expected = inputs.map((how) => (how === 'is killed' ? 'WorkerDied' : 'ok'));
    expect(outcomes(results)).toEqual(expected);
    expect(new Set(results.map(({ index }) => index)).size).toBe(200);
  });

  it('cost only the input they die on, wherever it is in a chunk', async () => {
    await using fanfold = await connect({ tasks, workers: 2, onWarning() {} });
    // Chunks of several inputs, so that each death has neighbours before and after.
    const inputs = Array.from({ length: 200 }, (_, n) =>
      n === 17 ? 'exits' : n === 111 ? 'is killed' : n === 150 ? 'throws later' : 'fine',
    );
    const run = fanfold.map<typeof wild>('wild', inputs);
    const expected = inputs.map((how) => (how === 'fine' ? 'ok' : 'WorkerDied'));
    expect(outcomes(await Array.fromAsync(run))).toEqual(expected);
    expect(run.ledger).toMatchObject({ inputs: 200, ok: 197, failed: 3, sealed: true });
  });

  it('cost only the input they die on in a large chunk, of which only the queue has a copy', async () => {
    await using fanfold = await connect({ tasks, workers: 2, onWarning() {} });
    // Three to a chunk, of 15 KB.
    const inputs = Array.from({ length: 200 }, (_, n) =>
      n === 17 ? 'exits' : n === 111 ? 'is killed' : `${n}`.padEnd(5_000, ' fine'),
    );
    const run = fanfold.map<typeof wild>('wild', inputs);
    const expected = inputs.map((how) => (how.includes('fine') ? 'ok' : 'WorkerDied'));
    expect(outcomes(await Array.fromAsync(run))).toEqual(expected);
    expect(run.ledger).toMatchObject({ inputs: 200, ok: 198, failed: 2, sealed: true });
  });

  it('that are killed while they start are started again, and the run continues', async () => {
    await using fanfold = await connect({ tasks, workers: 2, onWarning() {} });
    const run = fanfold.map<typeof hit>(
      'hit',
      Array.from({ length: 2_500 }, (_, n) => n),
    );
    const children = () => workersOf(process.pid);
    const known = new Set(children());
    let kills = 0;
    const killer = setInterval(() => {
      const [fresh] = children().filter((pid) => !known.has(pid));
      const [old] = known;
      const victim = fresh ?? (kills === 0 ? old : undefined);
      if (victim === undefined || kills >= 6) return;
      known.add(victim);
      process.kill(victim, 'SIGKILL');
      kills++;
    }, 20);
    const results = await Array.fromAsync(run);
    clearInterval(killer);
    expect(kills).toBe(6);
    expect(outcomes(results)).toEqual(Array(2_500).fill('ok'));
  });

  it('that loop forever end with the command, even if it is killed', async () => {
    const command = start([
      'run',
      'blocks',
      '--tasks',
      fileURLToPath(tasks),
      '--input',
      '-',
      '--workers',
      '2',
    ]);
    command.child.stdin?.write('"block for long"\n"block for long"\n');
    const childrenOf = () => workersOf(command.child.pid ?? 0);
    await expect.poll(() => childrenOf().length, { timeout: 10_000 }).toBe(2);
    const workers = childrenOf();
    // Both are blocked, so that neither notices the end of its parent.
    await expect.poll(() => workers.every(isBusy), { timeout: 15_000 }).toBe(true);
    command.child.kill('SIGKILL');
    await expect.poll(() => workers.some(isRunning), { timeout: 5_000 }).toBe(false);
  });

  it('that run out of memory cost only the input that causes it', async () => {
    vi.stubEnv('NODE_OPTIONS', '--max-old-space-size=80');
    await using fanfold = await connect({ tasks, workers: 1, onWarning() {} });
    const run = fanfold.map<typeof wild>('wild', ['fine', 'runs out of memory', 'fine']);
    expect(outcomes(await Array.fromAsync(run))).toEqual(['ok', 'WorkerDied', 'ok']);
    vi.unstubAllEnvs();
  });

  it('that block the thread are killed', async () => {
    await using fanfold = await connect({ tasks, workers: 1, onWarning() {} });
    const run = fanfold.map<typeof blocks>('blocks', ['a', 'block', 'b']);
    expect(outcomes(await Array.fromAsync(run))).toEqual(['ok', 'TimedOut', 'ok']);
  });

  it('whose messages could not be received are not treated as blocked', async () => {
    const warnings: string[] = [];
    const onWarning = (message: string) => warnings.push(message);
    await using fanfold = await connect({ tasks, workers: 1, onWarning });
    const file = join(folder, 'asleep');
    const taking = Array.fromAsync(fanfold.map<typeof noted>('noted', [{ file, ms: 2_500 }]));
    await expect.poll(() => notes(file).length).toBe(1);
    // Stopped while it waits, for longer than the task's timeout by a fast clock.
    const startedAt = Date.now();
    const fast = () => startedAt + (performance.now() - before) * 30;
    const before = performance.now();
    vi.spyOn(Date, 'now').mockImplementation(fast);
    const stopped = `kill -STOP ${process.pid}; sleep 1.2; kill -CONT ${process.pid}`;
    await promisify(execFile)('sh', ['-c', stopped]);
    expect(outcomes(await taking)).toEqual(['ok']);
    vi.restoreAllMocks();
    expect(warnings).toEqual([]);
    expect(notes(file)).toHaveLength(1);
  });

  it('are gone when the connection is closed, busy or not', async () => {
    const fanfold = await connect({ tasks, workers: 2 });
    const file = join(folder, 'closed');
    const taking = Array.fromAsync(fanfold.map<typeof noted>('noted', [{ file, ms: 20_000 }]));
    const ended = expect(taking).rejects.toMatchObject({ code: 'Closed' });
    await expect.poll(() => notes(file).length).toBe(1);
    await fanfold.close();
    await ended;
    expect(isRunning(notes(file)[0]?.[0] ?? process.pid)).toBe(false);
  });

  it('that cannot load their tasks cause one error, not a loop', async () => {
    const module = join(folder, 'broken.mjs');
    writeFileSync(module, 'throw new Error("on load");');
    await expect(connect({ tasks: module, workers: 2 })).rejects.toMatchObject({
      code: 'BadTask',
      message: expect.stringMatching(/broken\.mjs cannot be used: .*on load/),
    });
  });

  it.each([
    ['waits for what does not come', 'setInterval(() => {}, 1000); await new Promise(() => {});'],
    ['never gives the thread back', 'for (;;);'],
  ])('are killed over a tasks module that %s', async (how, code) => {
    const module = join(folder, `${how.replaceAll(' ', '-')}.mjs`);
    writeFileSync(module, code);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      let seconds = 0;
      let isOpening = true;
      const opening = connect({ tasks: module, workers: 2 }).finally(() => {
        isOpening = false;
      });
      const failed = expect(opening).rejects.toMatchObject({
        code: 'BadTask',
        message: expect.stringContaining(
          `${module} cannot be used: it has not loaded within 60 s.`,
        ),
      });
      for (; isOpening; seconds++) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        vi.advanceTimersByTime(1_000);
      }
      await failed;
      expect(seconds).toBeGreaterThanOrEqual(60);
    } finally {
      vi.useRealTimers();
    }
  });

  it('may take a while to load their tasks module', async () => {
    const module = join(folder, 'slow.mjs');
    const defining = `import { defineTask } from '${join(import.meta.dirname, '../../src/index.ts')}';`;
    writeFileSync(
      module,
      `${defining}
       await new Promise((resolve) => setTimeout(resolve, 1_500));
       export const slow = defineTask({ name: 'slow', run: () => 1 });`,
    );
    await using fanfold = await connect({ tasks: module, workers: 1 });
    expect(await Array.fromAsync(fanfold.map('slow', [1]).outputs())).toEqual([1]);
  });

  it('report where their file cannot be created', async () => {
    vi.stubEnv('TMPDIR', join(folder, 'nowhere'));
    const opened = connect({ tasks, workers: 1 });
    await expect(opened).rejects.toThrow(
      /^Worker processes need a small file in .*nowhere, which cannot be created: ENOENT.*Create that folder, or set TMPDIR to one that exists, or unset it\.$/,
    );
    vi.unstubAllEnvs();
  });

  // At the lower limit, esbuild's process cannot start either, or nothing can listen; and sometimes
  // Node lacks a file for itself, which is not what is tested.
  it.each([26, 32])(
    'report which limit prevents their start: %i files',
    {
      retry: 3,
    },
    async (files) => {
      const limited = ['sh', '-c', `ulimit -n ${files}; exec "$@"`, 'sh'];
      const command = start(
        ['run', 'same', '--tasks', fileURLToPath(tasks), '--range', '1', '--workers', '8'],
        {
          through: limited,
        },
      );
      const { status, stderr } = await command.ended;
      expect(status).toBe(3);
      expect(stderr).toMatch(
        /(A worker process cannot be started|Cannot listen) .*EMFILE.*aise the limit \(`ulimit -n/,
      );
      expect(stderr).not.toContain('tasks module');
    },
  );

  it('end the run when their replacements cannot load the tasks any more', async () => {
    // The module is bundled once for all processes: its data can change, its code cannot.
    const module = join(folder, 'changing.js');
    const change = join(folder, 'change');
    writeFileSync(
      module,
      `import { existsSync } from 'node:fs';
      export * from ${JSON.stringify(fileURLToPath(tasks))};
      if (existsSync(${JSON.stringify(change)})) throw new Error('changed');`,
    );
    await using fanfold = await connect({ tasks: module, workers: 1, onWarning() {} });
    writeFileSync(change, '');
    const taking = Array.fromAsync(fanfold.map('wild', ['exits']));
    await expect(taking).rejects.toMatchObject({
      code: 'BadTask',
      message: expect.stringMatching(/changing\.js cannot be used: .*changed/),
    });
  });
});
