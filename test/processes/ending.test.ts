import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { connect, serve, work } from '../../src/index.ts';
import { Workers } from '../../src/processes/workers.ts';
import { start } from '../cli/command.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures', name);
const ending = pathToFileURL(fixture('ending-tasks.ts'));
const straying = pathToFileURL(fixture('stray-tasks.ts'));
const folder = mkdtempSync(join(tmpdir(), 'fanfold-ending-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => vi.unstubAllEnvs());

let files = 0;

/** The file where processes record their actions, and its content without process ids. */
function notes() {
  const file = join(folder, `notes-${++files}`);
  const read = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  return { file, all: () => read().map((line) => line.replaceAll(/\b\d+\b ?/g, '').trim()), read };
}

/** The state, such as `S` for waiting or `T` for stopped. */
function stateOf(pid: number): string | undefined {
  return /^State:\s*(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
}

/** Whether a process is running; a zombie does not count. */
function isThere(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('a worker process that is not needed any more', () => {
  // A process that a busy machine holds up for longer than its grace is killed.
  it('ends as any process does: listeners are called, coverage is written', {
    retry: 2,
  }, async () => {
    const { file, all } = notes();
    const coverage = mkdtempSync(join(folder, 'coverage-'));
    vi.stubEnv('FANFOLD_TEST_NOTES', file);
    vi.stubEnv('FANFOLD_TEST_ENDING', 'beforeExit,SIGTERM');
    vi.stubEnv('NODE_V8_COVERAGE', coverage);
    const fanfold = await connect({ tasks: ending, workers: 2 });
    await Array.fromAsync(fanfold.map('pooled', [0, 0, 0, 0]));
    await fanfold.close();
    expect(all().filter((line) => line === 'exit')).toHaveLength(2);
    expect(all().filter((line) => line === 'flushed before exit')).toHaveLength(2);
    expect(all().filter((line) => line === 'flushed at SIGTERM')).toHaveLength(2);
    expect(readdirSync(coverage)).toHaveLength(2);
  });

  it('sets a task up once, before its first input, and tears it down at its end', async () => {
    const { file, all } = notes();
    vi.stubEnv('FANFOLD_TEST_NOTES', file);
    const fanfold = await connect({ tasks: ending, workers: 1 });
    const outputs = await Array.fromAsync(fanfold.map('pooled', [0, 0, 0]).outputs());
    await Array.fromAsync(fanfold.map('pooled', [0]));
    expect(new Set(outputs).size).toBe(1);
    await fanfold.close();
    expect(all()).toEqual(['loaded', 'set up', 'ran', 'ran', 'ran', 'ran', 'torn down', 'exit']);
  });

  it('tears down when a signal ends `work`, after its current input was sent back', async () => {
    const { file, all } = notes();
    const serving = start(
      ['serve', '--memory', '--port', '0', '--workers', '1', '--tasks', fixture('ending-tasks.ts')],
      {
        env: { FANFOLD_TEST_NOTES: file, XDG_CONFIG_HOME: folder },
        cwd: folder,
      },
    );
    await expect
      .poll(() => /http:\/\/[\d.:]+/.exec(serving.said())?.[0], { timeout: 60_000 })
      .toBeDefined();
    const [endpoint = ''] = /http:\/\/[\d.:]+/.exec(serving.said()) ?? [];
    const running = start(['run', 'pooled', '--range', '50000..50000', '--endpoint', endpoint], {
      env: { XDG_CONFIG_HOME: folder },
    });
    running.child.stdin?.end();
    await expect.poll(() => all().includes('ran'), { timeout: 60_000 }).toBe(true);
    serving.child.kill('SIGTERM');
    expect((await serving.ended).status).toBe(0);
    // The first process only reported its tasks to the server.
    expect(all().slice(2)).toEqual(['loaded', 'set up', 'ran', 'torn down', 'exit']);
    running.child.kill('SIGKILL');
    await running.ended;
  });
});

it('a process that dies when it is stopped does not cause finished inputs to run again', async () => {
  const { file, read } = notes();
  vi.stubEnv('FANFOLD_TEST_NOTES', file);
  vi.stubEnv('FANFOLD_TEST_ENDING', 'quits');
  const credentials = { accessKeyId: 'EXAMPLE', secretAccessKey: 'secret' };
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  await using server = await serve({ memory: true, port: 0, tasks: ending, credentials });
  await using there = await connect({ endpoint: server.url });
  const inputs = Array.from({ length: 100 }, (_, n) => (n === 50 ? 'quits' : 'is quick'));
  const taking = Array.fromAsync(there.map('quits', inputs));
  const working = { endpoint: server.url, tasks: ending, workers: 1 };
  const first = await work(working);
  const ran = () => read().flatMap((line) => /(?<=ran )\d+ \d+$/.exec(line) ?? []);
  await expect.poll(() => ran().includes('50 1'), { timeout: 60_000 }).toBe(true);
  await first.close();
  vi.stubEnv('FANFOLD_TEST_ENDING', '');
  await using _ = await work(working);
  expect((await taking).filter(({ status }) => status === 'ok')).toHaveLength(100);
  // It runs as its first attempt, because it was abandoned through no fault of its own.
  const once = inputs.map((_, n) => `${n} 1`);
  expect(ran().sort()).toEqual([...once, '50 1'].sort());
});

it('workers that wait for their tasks module are stopped at once', async () => {
  const code = Promise.withResolvers<never>();
  const workers = new Workers({
    tasks: { url: 'file:///tasks.ts', code: code.promise },
    place: { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', credentials: 'none' },
    ...{ count: 2, taskQueueUrl: '', deadQueueUrl: '', sqs: new SQSClient(), sliceSeconds: 5 },
    // Longer than a test may take.
    graceMs: 600_000,
    onFailure() {},
    onTrouble() {},
  });
  await workers.close();
});

it.each([
  ['throws', '', 'TaskFailed', /^The setup of the task "unready" failed: no database$/],
  ['ends the process', 'setup exits', 'WorkerDied', /died while it set up the task for this input/],
])('a setup that %s costs each input its attempts', async (_, how, code, message) => {
  const { file } = notes();
  vi.stubEnv('FANFOLD_TEST_NOTES', file);
  vi.stubEnv('FANFOLD_TEST_ENDING', how);
  await using fanfold = await connect({ tasks: ending, workers: 1, onWarning() {} });
  const failed = await Array.fromAsync(fanfold.map('unready', [1, 2]));
  const error = { code, attempts: 2, message: expect.stringMatching(message) };
  expect(failed.map((result) => result.status === 'failed' && result.error)).toEqual(
    [error, error].map((one) => expect.objectContaining(one)),
  );
});

describe.runIf(process.platform === 'linux')('a process that a task has started', () => {
  const started = (read: () => string[]) =>
    read().flatMap((line) => line.match(/(?<=started )\d+/)?.map(Number) ?? []);

  it('ends with its worker, however that ends', async () => {
    const { file, read } = notes();
    vi.stubEnv('FANFOLD_TEST_NOTES', file);
    const fanfold = await connect({ tasks: straying, workers: 1, onWarning() {} });
    await Array.fromAsync(fanfold.map('starts', ['and is killed'], { deadlineSeconds: 60 }));
    expect(started(read)).toHaveLength(3);
    await expect.poll(() => started(read).some(isThere)).toBe(false);
    await Array.fromAsync(fanfold.map('starts', ['']));
    const last = started(read).at(-1) ?? 0;
    expect(isThere(last)).toBe(true);
    await fanfold.close();
    await expect.poll(() => isThere(last)).toBe(false);
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)(
    'ends with a command that receives %s',
    async (signal) => {
      const { file, read } = notes();
      const command = start(
        ['run', 'starts', '--tasks', fixture('stray-tasks.ts'), '--input', '-', '--workers', '1'],
        {
          env: { FANFOLD_TEST_NOTES: file },
        },
      );
      command.child.stdin?.end('"and goes on"\n');
      await expect.poll(() => started(read).some(isThere), { timeout: 60_000 }).toBe(true);
      const workers = () => read().map((line) => Number.parseInt(line, 10));
      // Like Ctrl-Z, which reaches only the command.
      const all = [command.child.pid ?? 0, ...workers(), ...started(read)];
      command.child.kill('SIGTSTP');
      await expect.poll(() => all.map(stateOf)).toEqual(all.map(() => 'T'));
      command.child.kill('SIGCONT');
      await expect.poll(() => all.map(stateOf)).not.toContain('T');
      command.child.kill(signal);
      await command.ended;
      await expect.poll(() => started(read).some(isThere), { timeout: 10_000 }).toBe(false);
      await expect.poll(() => workers().some(isThere), { timeout: 10_000 }).toBe(false);
    },
  );
});

it('many workers at once do not leak listeners', async () => {
  const warned: string[] = [];
  const hear = (warning: Error) => warned.push(`${warning.name}: ${warning.message}`);
  process.on('warning', hear);
  const fanfold = await connect({ tasks: straying, workers: 12, onWarning() {} });
  const { signal } = new AbortController();
  const runs = Array.from({ length: 12 }, () => fanfold.map('leaves', [1, 2], { signal }));
  await Promise.all(runs.map((run) => Array.fromAsync(run)));
  await fanfold.close();
  process.off('warning', hear);
  expect(warned).toEqual([]);
});
