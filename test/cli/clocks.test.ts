// @module-tag more
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { results, TASKS } from './command.ts';
import { aUser, begin, fanfoldWith, printed, serve, work } from './serving.ts';
import { wrongClock } from './wrong-clock.ts';

const { folder } = aUser();

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const machine = (name: string, offMs: number) => wrongClock(join(folder, `clock-${name}`), offMs);

/** Makes `--stack fanfold` reach the server through the SDK's own settings and signer. */
function onAws({ url, port }: { url: string; port: string }) {
  const left = new URL(readFileSync(join(folder, `config/fanfold/join-${port}`), 'utf8'));
  return {
    AWS_ENDPOINT_URL: url,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: left.username,
    AWS_SECRET_ACCESS_KEY: left.password,
  };
}

it('runs and workers whose clocks are off by minutes or days lose no input to a short deadline', async () => {
  const server = await serve(['--tasks', TASKS]);
  const aws = onAws(server);
  const there = ['--endpoint', server.url];
  const one = ['--tasks', TASKS, '--workers', '1'];
  await work([...there, ...one], machine('slow', -3 * DAY).env);
  const other = { ...aws, ...machine('fast', 3 * DAY).env };
  await printed(begin(['work', '--stack', 'fanfold', ...one], other), /worker at (stack) fanfold/);
  const workers = new Set();
  const run = async (place: string[], env: NodeJS.ProcessEnv) => {
    const input = ['run', 'waits', '--range', '60', '--deadline', '2m'];
    const { status, stdout, stderr } = await fanfoldWith(env, [...input, ...place]);
    expect(stderr).toContain('60 inputs = 60 ok + 0 failed + 0 cancelled');
    expect(stderr).not.toContain('ended early');
    expect(status).toBe(0);
    for (const { worker } of results(stdout)) workers.add(worker);
  };
  // Clocks within and beyond the five minutes that a signature and a run id may be off, and far off.
  const callers = [-3 * DAY, -10 * MINUTE, 4 * MINUTE, 3 * DAY].map((off) => {
    const { env } = machine(`caller-${off}`, off);
    return Promise.all([run(there, env), run(['--stack', 'fanfold'], { ...aws, ...env })]);
  });
  await Promise.all(callers);
  expect(workers.size).toBe(2);
}, 180_000);

it('a run has the same age on each machine, whatever its clock says', async () => {
  const server = await serve(['--tasks', TASKS]);
  const there = ['--endpoint', server.url];
  const slow = machine('slow', -HOUR);
  const fast = machine('fast', 3 * DAY);
  const began = Date.now();
  const command = begin(
    ['run', 'waits', '--range', '9', '--output', join(folder, 'out'), ...there],
    slow.env,
  );
  const id = await printed(command, /began run (\S+)/);
  for (const { env } of [slow, fast]) {
    const { stdout } = await fanfoldWith(env, ['status', id, ...there]);
    const seconds = (Date.now() - began) / 1000;
    for (const [, ago] of stdout.matchAll(/(\d+) s ago/g)) {
      expect(Number(ago)).toBeLessThanOrEqual(seconds + 3);
    }
    expect(stdout.match(/ s ago/g)).toHaveLength(3);
    const deadline = /^deadline +(\S+)/m.exec(stdout)?.[1] ?? '';
    expect(Math.abs(Date.parse(deadline) - began - DAY)).toBeLessThan(60_000);
  }
  const pruned = await fanfoldWith(fast.env, ['runs', '--prune', ...there]);
  expect(pruned.stdout).toBe('');
  const second = await fanfoldWith(fast.env, ['collect', id, ...there]);
  expect(second.stderr).toMatch(/is being collected: its collector sent a heartbeat \d+ s ago/);
  await work([...there, '--tasks', TASKS, '--workers', '1'], fast.env);
  expect((await command.ended).status).toBe(0);
}, 90_000);

it('setting the clock while workers and runs are active ends neither', async () => {
  const server = await serve(['--tasks', TASKS]);
  const there = ['--endpoint', server.url];
  const here = machine('here', 0);
  const worker = await work([...there, '--tasks', TASKS, '--workers', '1'], here.env);
  const input = join(folder, 'noted.jsonl');
  const note = join(folder, 'noted');
  // Long enough for several polls of the server with the new clock.
  writeFileSync(input, `${JSON.stringify({ file: note, ms: 4_000 })}\n`);
  for (const [at, off] of [HOUR, -DAY, 1].entries()) {
    writeFileSync(note, '');
    const run = begin(['run', 'noted', '--input', input, ...there], here.env);
    await expect.poll(() => readFileSync(note, 'utf8'), { timeout: 20_000 }).not.toBe('');
    here.set(off);
    const { status, stderr } = await run.ended;
    expect(stderr, `set for the ${at + 1}. time`).toContain('1 input = 1 ok');
    expect(status).toBe(0);
  }
  expect(worker.child.exitCode).toBeNull();
  expect(worker.said()).not.toContain('refuses');
  worker.child.kill('SIGTERM');
  expect((await worker.ended).status).toBe(0);
}, 240_000);
