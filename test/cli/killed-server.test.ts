import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import { results } from './command.ts';
import { aUser, begin, fanfold, printed, serve, work } from './serving.ts';

const TASKS = join(import.meta.dirname, '../fixtures/served-tasks.ts');
const { folder } = aUser('all');
let number = 0;
const newFile = () => join(folder, `file-${++number}`);
const begun = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '');

const INPUTS = 10_000;
const KILLS = 10;

/** Longer than the SDK's attempts and a run's first retries take. */
const AWAY_MS = 25_000;

/** Messages in transit at a kill stay hidden: two minutes for chunks, one for results. */
const LIMIT_MS = 400_000;

// These tests mostly wait: for retries, and for messages that nobody received.
describe.concurrent('a server that dies', () => {
  it(`${KILLS} times during a run loses nothing of it, and doubles nothing`, {
    timeout: LIMIT_MS,
  }, async ({ expect }) => {
    const data = ['--tasks', TASKS, '--data', join(folder, 'killed')];
    let server = await serve(data);
    const at = ['--endpoint', server.url];
    const workers = begin(['work', ...at, '--tasks', TASKS, '--workers', '2', '--quiet']);
    const output = newFile();
    const run = begin(['run', 'double', '--range', String(INPUTS), '--output', output, ...at]);
    let ended = false;
    void run.ended.then(() => {
      ended = true;
    });
    const lines = () =>
      existsSync(output) ? readFileSync(output, 'latin1').split('\n').length : 0;
    let kills = 0;
    for (; kills < KILLS; kills++) {
      // Each kill is at another moment, some as the first results after a restart arrive.
      const goal = lines() + 1 + Math.floor(Math.random() * (INPUTS / KILLS));
      await expect
        .poll(() => ended || lines() >= goal, { timeout: 150_000, interval: 5 })
        .toBe(true);
      if (ended) break;
      server.child.kill('SIGKILL');
      await server.ended;
      server = await serve([...data, '--port', server.port]);
    }
    const { status, stderr } = await run.ended;
    expect(stderr).toContain(`${INPUTS} inputs = ${INPUTS} ok + 0 failed + 0 cancelled`);
    expect(status).toBe(0);
    expect(kills).toBe(KILLS);
    const all = results(readFileSync(output, 'utf8')).sort((a, b) => a.index - b.index);
    expect(all.map(({ index }) => index)).toEqual(Array.from({ length: INPUTS }, (_, n) => n));
    expect(all.map(({ output: value }) => value)).toEqual(all.map(({ index }) => index * 2));
    workers.child.kill('SIGTERM');
    expect((await workers.ended).status).toBe(0);
  });

  it('is waited for by a run whose inputs are still being seeded', {
    timeout: 240_000,
  }, async ({ expect }) => {
    const data = ['--tasks', TASKS, '--data', join(folder, 'seeding')];
    const server = await serve(data);
    const at = ['--endpoint', server.url];
    await work([...at, '--tasks', TASKS, '--workers', '1']);
    const run = begin(['run', 'double', '--input', '-', ...at]);
    run.child.stdin?.write('0\n1\n');
    await printed(run, /(began) run/);
    server.child.kill('SIGKILL');
    await server.ended;
    run.child.stdin?.end('2\n3\n');
    await printed(run, /(does not respond \(ECONNREFUSED\): waiting for it)/);
    await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
    await serve([...data, '--port', server.port]);
    const { status, stdout, stderr } = await run.ended;
    expect(stderr).toContain(`endpoint ${server.url} responds again`);
    expect(
      results(stdout)
        .map(({ index }) => index)
        .sort(),
    ).toEqual([0, 1, 2, 3]);
    expect(status).toBe(0);
  });

  it('is waited for by workers, which continue when it responds', {
    timeout: 180_000,
  }, async ({ expect }) => {
    const server = await serve(['--tasks', TASKS]);
    const args = ['--endpoint', server.url, '--tasks', TASKS, '--workers', '2'];
    const worker = await work(args);
    const output = newFile();
    const range = ['--range', '1000', '--output', output];
    const run = begin(['run', 'brief', ...range, '--endpoint', server.url]);
    await expect.poll(() => begun(output), { timeout: 60_000 }).not.toBe('');
    server.child.kill('SIGKILL');
    await printed(worker, /(No server responds at .* Retrying until it responds)/);
    await serve(['--tasks', TASKS, '--port', server.port]);
    await printed(worker, /(The server at .* responds again)/);
    // Its queues were in memory, so the run is over, but the workers continue.
    run.child.kill('SIGINT');
    const again = await fanfold(['run', 'brief', '--range', '50', '--endpoint', server.url]);
    expect(again.stderr).toContain('50 inputs = 50 ok');
    expect(worker.said().match(/No server responds/g)).toHaveLength(1);
    worker.child.kill('SIGTERM');
    expect((await worker.ended).status).toBe(0);
  });

  // Messages in transit at the kill may stay hidden for a claim, which is two minutes.
  it('loses nothing if its queues are stored', {
    timeout: 240_000,
  }, async ({ expect }) => {
    const data = ['--data', join(folder, 'stored')];
    const server = await serve(['--tasks', TASKS, ...data]);
    const second = await fanfold(['serve', '--port', '0', ...data]);
    expect(second.stderr).toContain('Another process has opened the store');
    expect(second.status).toBe(2);
    const worker = await work(['--endpoint', server.url, '--tasks', TASKS, '--workers', '2']);
    const output = newFile();
    const range = ['--range', '1000', '--output', output];
    const run = begin(['run', 'brief', ...range, '--endpoint', server.url]);
    await expect.poll(() => begun(output), { timeout: 60_000 }).not.toBe('');
    server.child.kill('SIGKILL');
    await printed(worker, /(Retrying until it responds)/);
    await serve(['--tasks', TASKS, '--port', server.port, ...data]);
    const { status, stderr } = await run.ended;
    expect(stderr).toContain('1000 inputs = 1000 ok + 0 failed + 0 cancelled');
    expect(status).toBe(0);
    const indexes = results(begun(output)).map(({ index }) => index);
    expect(indexes.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  });

  it('ends workers if it comes back with another secret', { timeout: 180_000 }, async ({
    expect,
  }) => {
    const keys = (secret: string) => ({ AWS_ACCESS_KEY_ID: 'K', AWS_SECRET_ACCESS_KEY: secret });
    const server = await serve([], keys('one'));
    const worker = await work(['--endpoint', server.url, '--workers', '1'], keys('one'));
    server.child.kill('SIGKILL');
    await printed(worker, /(Retrying until it responds)/);
    await serve(['--port', server.port], keys('other'));
    const { status, stderr } = await worker.ended;
    expect(stderr).toContain('rejects the secret (SignatureDoesNotMatch)');
    expect(status).toBe(3);
  });
});
