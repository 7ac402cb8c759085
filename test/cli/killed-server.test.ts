import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { results } from './command.ts';
import { aUser, begin, printed, serve, work } from './serving.ts';

const TASKS = join(import.meta.dirname, '../fixtures/served-tasks.ts');
const { folder } = aUser();

const INPUTS = 10_000;
const KILLS = 10;

/** Messages in transit at a kill stay hidden: two minutes for chunks, one for results. */
const LIMIT_MS = 400_000;

it(`a server that is killed ${KILLS} times during a run loses nothing of it, and doubles nothing`, {
  timeout: LIMIT_MS,
}, async () => {
  const data = ['--tasks', TASKS, '--data', join(folder, 'data')];
  let server = await serve(data);
  const at = ['--endpoint', server.url];
  const workers = begin(['work', ...at, '--tasks', TASKS, '--workers', '2', '--quiet']);
  const output = join(folder, 'output.jsonl');
  const run = begin(['run', 'double', '--range', String(INPUTS), '--output', output, ...at]);
  let ended = false;
  void run.ended.then(() => {
    ended = true;
  });
  const lines = () => (existsSync(output) ? readFileSync(output, 'latin1').split('\n').length : 0);
  let kills = 0;
  for (; kills < KILLS; kills++) {
    // Each kill is at another moment, some as the first results after a restart arrive.
    const goal = lines() + 1 + Math.floor(Math.random() * (INPUTS / KILLS));
    await expect.poll(() => ended || lines() >= goal, { timeout: 150_000, interval: 5 }).toBe(true);
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

/** Longer than the SDK's attempts and a run's first retries take. */
const AWAY_MS = 25_000;

it('a run whose inputs are still being seeded waits for its server', {
  timeout: 240_000,
}, async () => {
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
