import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { results } from './command.ts';
import { aUser, begin, fanfold, printed, serve, work } from './serving.ts';

const TASKS = join(import.meta.dirname, '../fixtures/limited-tasks.ts');
const SLEEPS = join(import.meta.dirname, '../fixtures/served-tasks.ts');
const INPUTS = 5_000;
const RATE = 300;
/** Calls that the service accepts in a second: a busy machine may deliver some of them late. */
const LIMIT = 450;

const { folder } = aUser();

/** When the service was called, and how often it refused. */
const calls: number[] = [];
let refused = 0;
const service = createServer((_, response) => {
  const now = performance.now();
  const recent = calls.filter((at) => at > now - 1_000).length;
  calls.push(now);
  if (recent >= LIMIT) refused++;
  response.writeHead(recent >= LIMIT ? 429 : 200).end();
});

beforeAll(async () => {
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  const { port } = service.address() as AddressInfo;
  vi.stubEnv('API_URL', `http://127.0.0.1:${port}`);
});
afterAll(() => {
  service.closeAllConnections();
  service.close();
});
beforeEach(() => {
  calls.length = 0;
  refused = 0;
});

/** Calls in the last so many milliseconds. */
function callsIn(ms: number): number {
  const from = performance.now() - ms;
  return calls.filter((at) => at > from).length;
}

/** The most calls in any ten seconds, which is what a rate a second bounds. */
function mostInWindow(): number {
  let [most, first] = [0, 0];
  for (const [last, at] of calls.entries()) {
    while (at - (calls[first] ?? at) >= 10_000) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}

it('without a rate some calls are refused', async () => {
  const { stdout } = await fanfold(['run', 'call', '--range', `${INPUTS}`, '--tasks', TASKS]);
  expect(results(stdout)).toHaveLength(INPUTS);
  // A slow machine is only slightly faster than the service.
  expect(refused).toBeGreaterThan(0);
});

it('with a rate none is refused, also if a worker process is killed', async () => {
  const output = join(folder, 'paced.jsonl');
  const args = ['--range', `${INPUTS}`, '--tasks', TASKS, '--workers', '4', '--output', output];
  const run = begin(['run', 'call', ...args, '--rate', `${RATE}/s`]);
  await expect.poll(() => calls.length, { timeout: 30_000 }).toBeGreaterThan(1_000);
  const [first] = results(readFileSync(output, 'utf8'));
  process.kill(Number(first?.output), 'SIGKILL');
  const { status, stderr } = await run.ended;
  expect(stderr).toMatch(/worker-\d died/);
  const all = results(readFileSync(output, 'utf8'));
  expect(all).toHaveLength(INPUTS);
  // The worker may have died of the call that it made alone, as far as anyone knows.
  const failed = all.filter((one) => one.status !== 'ok');
  expect(failed.filter(({ error }) => Object(error).code !== 'WorkerDied')).toEqual([]);
  expect(failed.length).toBeLessThanOrEqual(1);
  expect([status, refused]).toEqual([failed.length, 0]);
  expect(mostInWindow()).toBeLessThanOrEqual(RATE * 10);
  // Calls of the killed worker count twice.
  expect(calls.length).toBeGreaterThanOrEqual(INPUTS);
});

it('another machine goes on soon when all processes of a worker are killed', async () => {
  const server = await serve(['--tasks', SLEEPS]);
  const at = ['--endpoint', server.url, '--tasks', SLEEPS, '--workers', '1'];
  const killed = await work(at);
  const output = join(folder, 'killed.jsonl');
  const input = join(folder, 'killed-input.jsonl');
  const begun = join(folder, 'killed-begun');
  writeFileSync(input, `${JSON.stringify({ file: begun, ms: 1_500 })}\n`.repeat(2));
  const args = ['run', 'long', '--input', input, '--output', output, '--endpoint', server.url];
  // One lane, which the killed worker holds.
  const run = begin([...args, '--concurrency', '1']);
  await expect.poll(() => existsSync(begun), { timeout: 20_000 }).toBe(true);
  killAll(Number(killed.child.pid));
  const killedAt = performance.now();
  await work(at);
  expect((await run.ended).status).toBe(0);
  expect(performance.now() - killedAt).toBeLessThan(20_000);
  expect(results(readFileSync(output, 'utf8'))).toHaveLength(2);
}, 60_000);

/** Kills a command and its worker processes at once, as the end of their machine does. */
function killAll(pid: number): void {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  for (const child of [pid, ...children.trim().split(/\s+/).map(Number)]) {
    process.kill(child, 'SIGKILL');
  }
}

it('a run on a server is set, paused and unpaused, and resumed while it is paused', async () => {
  const server = await serve(['--tasks', TASKS, '--workers', '2']);
  const at = ['--endpoint', server.url];
  const output = join(folder, 'set.jsonl');
  const args = ['run', 'call', '--range', '3000', '--output', output, ...at];
  const run = begin([...args, '--rate', '40/s', '--concurrency', '1000']);
  const runId = await printed(run, /began run (\S+) on/);
  expect(run.said()).toMatch(
    /--concurrency 1000 is not reached: .* together run \d+ inputs of call/,
  );
  await expect.poll(() => callsIn(2_000), { timeout: 20_000 }).toBeGreaterThan(60);
  expect(callsIn(2_000)).toBeLessThan(100);

  const set = await fanfold(['set', runId, '--rate', '200/s', '--concurrency', 'none', ...at]);
  expect(set.stderr).toMatch(/has at most 200\/s, within 2 s\n$/);
  await expect.poll(() => callsIn(1_000), { timeout: 3_000, interval: 50 }).toBeGreaterThan(140);

  const paused = await fanfold(['pause', runId, ...at]);
  expect(paused.stderr).toMatch(/is paused: .*its deadline is still .*fanfold unpause/s);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const before = calls.length;
  const row = await fanfold(['runs', ...at]);
  expect(row.stdout).toMatch(/paused \d s ago {2}at most 200\/s$/m);
  await expect.poll(() => run.said(), { timeout: 10_000 }).toMatch(/done, paused, 0 failed/);
  expect(calls.length).toBe(before);
  run.child.kill('SIGINT');
  const left = await run.ended;
  expect([left.status, left.stderr]).toEqual([130, expect.stringContaining('--resume')]);

  const resumed = begin([...args, '--resume']);
  await expect
    .poll(() => resumed.said(), { timeout: 20_000 })
    .toMatch(/is paused; to let it go on/);
  expect(calls.length).toBe(before);
  const unpaused = await fanfold(['unpause', runId, '--extend-deadline', ...at]);
  expect(unpaused.stderr).toMatch(/goes on, within 2 s; its deadline is now/);
  await expect.poll(() => callsIn(1_000), { timeout: 3_000, interval: 50 }).toBeGreaterThan(140);
  expect((await fanfold(['set', runId, '--rate', 'none', ...at])).stderr).toMatch(/no bounds/);
  const { stderr } = await resumed.ended;
  expect(stderr).toMatch(/goes on\n.*now has no bounds/s);
  expect(results(readFileSync(output, 'utf8'))).toHaveLength(3_000);
});
