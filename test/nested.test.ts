import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SQSClient } from '@aws-sdk/client-sqs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { serveSqs } from '../src/emulator/sqs/index.ts';
import type { Connection } from '../src/endpoint/connection.ts';
import { serverIdentity } from '../src/endpoint/identity.ts';
import { connect, defineTask, type Fanfold, serve } from '../src/index.ts';
import { refuseNested, stackIdentity, workFor } from '../src/nested.ts';
import { openStack } from '../src/worlds/remote.ts';
import { REPOSITORY } from './cli/command.ts';

const double = defineTask({ name: 'double', run: (input: number) => input * 2 });

/** A port that no process listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address ? address.port : 0;
}

/** Maximum number of inputs that a connection runs at once. */
async function mostAtOnce(fanfold: Fanfold): Promise<number> {
  let running = 0;
  let most = 0;
  const counted = defineTask({
    name: 'counted',
    async run() {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running--;
    },
  });
  await Array.fromAsync(fanfold.map(counted, Array(30).fill(0)));
  return most;
}

it('a task can map on its own connection even if all workers run such a task', async () => {
  await using fanfold = await connect({ workers: 2 });
  let running = 0;
  let most = 0;
  const outer = defineTask({
    name: 'outer',
    timeoutSeconds: 120,
    async run(input: number) {
      most = Math.max(most, ++running);
      const doubled = await Array.fromAsync(fanfold.map(double, [input, input + 1]).outputs());
      running--;
      return doubled;
    },
  });
  const inputs = Array.from({ length: 30 }, (_, n) => n);
  const outputs = await Array.fromAsync(fanfold.map(outer, inputs).outputs());
  expect(outputs).toEqual(inputs.map((n) => [2 * n, 2 * n + 2]));
  // Extra workers are removed again.
  expect(most).toBeLessThan(30);
  expect(await mostAtOnce(fanfold)).toBeLessThanOrEqual(2);
});

it('a nested run without a consumer has an extra worker only while its task runs', async () => {
  await using fanfold = await connect({ workers: 1 });
  const leaves = defineTask({
    name: 'leaves',
    run: () => void fanfold.map(double, [1]),
  });
  await Array.fromAsync(fanfold.map(leaves, [1, 2, 3]));
  expect(await mostAtOnce(fanfold)).toBe(1);
});

it('a server is recognized by each of its addresses, and not confused with another', () => {
  const key = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: 'secret' });
  const made = key('FANFOLD0123456789ABCDEF');
  const identity = (endpoint: string, more: Partial<Connection> = { credentials: made }) =>
    serverIdentity({ endpoint, region: 'us-east-1', ...more });
  const one = identity('http://127.0.0.1:9324');
  expect(identity('http://[::1]:9324')).toBe(one);
  expect(identity('http://server.example:9324')).toBe(one);
  expect(identity('http://127.0.0.1:9325')).not.toBe(one);
  expect(identity('http://127.0.0.1:9324', { credentials: key('ANOTHER') })).not.toBe(one);
  // A given key pair may be used by several servers.
  const given = { credentials: key('EXAMPLE') };
  expect(identity('http://localhost:9324', given)).toBe(identity('http://[::1]:9324', given));
  expect(identity('http://one:9324', given)).not.toBe(identity('http://two:9324', given));
  const joined = { ...given, fingerprint: 'ab' };
  expect(identity('https://one:9324', joined)).toBe(identity('https://localhost:9324', joined));
});

it('a stack is known by its region and account, and not by its name alone', async () => {
  const server = await serveSqs({ queues: ['Photos-tasks'] });
  onTestFinished(() => server.close());
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', server.url);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  onTestFinished(() => void vi.unstubAllEnvs());
  const stackOf = (region: string, account = '000000000000') =>
    stackIdentity(
      new SQSClient({ region }),
      `https://sqs.${region}.amazonaws.com/${account}/Photos-tasks`,
    );
  const identities = await Promise.all([
    stackOf('us-east-1'),
    stackOf('eu-west-1'),
    stackOf('us-east-1', '123456789012'),
  ]);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  const stack = await openStack('Photos');
  onTestFinished(() => stack.close());
  const [here, ...others] = identities;
  const nested = async () => stack.refuseNested?.();
  for (const other of others) await workFor(other, nested);
  await expect(workFor(here, nested)).rejects.toThrow('the deployment that runs it (stack Photos)');
});

it('a stack’s task is noticed behind a connection of its own, too', async () => {
  const inner = defineTask({
    name: 'inner',
    maxAttempts: 1,
    run: () => refuseNested('stack/somewhere', 'stack Somewhere'),
  });
  const outer = async () => {
    await using here = await connect({ workers: 1 });
    return await Array.fromAsync(here.map(inner, [1]));
  };
  expect(await workFor('stack/elsewhere', outer)).toMatchObject([{ status: 'ok' }]);
  expect(await workFor('stack/somewhere', outer)).toMatchObject([
    { error: { errorCode: 'NestedRun' } },
  ]);
});

it('a task of a server cannot start a run on that server, under any address, or as a command', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-nested-'));
  const module = join(folder, 'tasks.mjs');
  const index = join(REPOSITORY, 'src/index.ts');
  writeFileSync(
    module,
    `import { execFile } from 'node:child_process';
     import { connect, defineTask } from '${index}';
     export const maps = defineTask({
       name: 'maps',
       maxAttempts: 1,
       async run(how) {
         const { HOST: endpoint } = process.env;
         if (how === 'command') {
           const args = ['${join(REPOSITORY, 'bin/fanfold.js')}', 'run', 'maps', '--input', '-'];
           return new Promise((resolve) => {
             const ends = (error, _, stderr) => resolve(error.code + stderr);
             execFile(process.execPath, [...args, '--endpoint', endpoint], ends).stdin.end('"ends"\\n');
           });
         }
         if (how === 'ends') return how;
         if (how === 'here') {
           await using here = await connect();
           const ends = defineTask({ name: 'ends', run: (input) => input });
           return (await Array.fromAsync(here.map(ends, ['ends']).outputs()))[0];
         }
         await using there = await connect({ endpoint: endpoint.replace('127.0.0.1', how) });
         return await Array.fromAsync(there.map('maps', ['ends']).outputs());
       },
     });`,
  );
  vi.stubEnv('XDG_CONFIG_HOME', folder);
  // Its worker processes inherit the address, which is known when it listens.
  const port = await freePort();
  vi.stubEnv('HOST', `http://127.0.0.1:${port}`);
  await using server = await serve({ memory: true, port, tasks: module, workers: 1 });
  await using there = await connect({ endpoint: server.url });
  const results = await Array.fromAsync(
    there.map('maps', ['127.0.0.1', 'localhost', 'command', 'here'], { ordered: true }),
  );
  const refused = (host: string) =>
    expect.stringMatching(`runs it \\(http://${host}:.*await connect`);
  const failed = (host: string) => ({
    error: { code: 'TaskFailed', errorCode: 'NestedRun', message: refused(host) },
  });
  expect(results).toMatchObject([
    failed('127.0.0.1'),
    failed('localhost'),
    {
      output: expect.stringMatching(/^3fanfold: A task cannot map on the deployment that runs it/),
    },
    { output: 'ends' },
  ]);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});
