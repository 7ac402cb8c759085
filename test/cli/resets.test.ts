// @module-tag more
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { TASKS } from './command.ts';
import { aUser, begin, fanfoldWith, printed, serve } from './serving.ts';

const { folder } = aUser();

/** More than the SDK retries, and as many as a restarted proxy may break. */
const RESETS = 12;

/** A proxy that breaks `left` more connections, each at its first request. */
async function brokenWay(port: string) {
  const way = { left: 0, url: '' };
  const proxy = createServer((socket) => {
    socket.on('error', () => {});
    if (way.left > 0) {
      way.left--;
      socket.once('data', () => socket.resetAndDestroy());
      return;
    }
    const onward = connect(Number(port), '127.0.0.1');
    onward.on('error', () => socket.destroy());
    socket.pipe(onward).pipe(socket);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  way.url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  return way;
}

it('no command ends because connections break while it starts', async () => {
  const server = await serve(['--tasks', TASKS]);
  const way = await brokenWay(server.port);
  const env = { FANFOLD_JOIN: server.join.replace(`:${server.port}`, `:${new URL(way.url).port}`) };
  const asked = async (...args: string[]) => {
    way.left = RESETS;
    const ended = await fanfoldWith(env, args);
    expect(ended.stderr).not.toContain('ECONNRESET');
    expect(way.left, args[0]).toBe(0);
    return ended;
  };
  const working = ['work', '--tasks', TASKS, '--workers', '1'];
  const worker = begin(working, env);
  const ran = await asked('run', 'same', '--range', '20');
  expect(ran.stderr).toContain('20 inputs = 20 ok');
  expect(ran.status).toBe(0);
  worker.child.kill();
  await worker.ended;
  expect((await asked(...working, '--until-empty')).status).toBe(0);
  const output = join(folder, 'results.jsonl');
  const run = begin(['run', 'same', '--range', '20', '--output', output], env);
  const id = await printed(run, /began run (\S+)/);
  // All inputs are seeded.
  await printed(run, /(no results are arriving: \d+ chunks? wait)/);
  run.child.kill('SIGKILL');
  await run.ended;
  expect((await asked('runs')).stdout).toContain(id);
  expect((await asked('status', id)).stdout).toContain(id);
  begin(working, env);
  expect((await asked('collect', id, '--output', output)).status).toBe(0);
  const other = begin(['run', 'waits', '--range', '1000000', '--output', `${output}2`], env);
  const { status } = await asked('cancel', await printed(other, /began run (\S+)/));
  expect(status).toBe(0);
});
