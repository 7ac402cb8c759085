import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { defineTask } from '../../src/index.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { inThisProcess } from './in-this-process.ts';
import { serveDeployment } from './served.ts';

const echo = defineTask({ name: 'echo', run: (input: number) => input });

let server: Awaited<ReturnType<typeof serveDeployment>>;
beforeAll(async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('FANFOLD_JOIN', undefined);
  server = await serveDeployment({ echo }, 1);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
});

const runIds = [1, 2, 3].map((minute) => newRunId(Date.now() - minute * 60_000)).toReversed();
beforeEach(async () => {
  for (const runId of runIds) {
    const tags = { task: 'resize', state: 'sealed', total: '7', ok: '2', failed: '1' };
    const QueueName = `fanfold-run-${runId}`;
    await server.client.send(new CreateQueueCommand({ QueueName, tags }));
  }
});

function runs(...args: string[]) {
  return inThisProcess(['runs', '--endpoint', server.url, ...args]);
}

it('--json prints one object with the same keys for each run', async () => {
  const { stdout, stderr, status } = await runs('--json');
  const objects = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(objects.map(({ runId }) => runId)).toEqual(runIds);
  expect(objects[0]).toMatchObject({ task: 'resize', inputs: 7, done: 3, ok: 2, failed: 1 });
  expect([stderr, status]).toEqual(['', 0]);
  const [runId = ''] = runIds;
  const one = await inThisProcess(['status', runId, '--json', '--endpoint', server.url]);
  expect(Object.keys(JSON.parse(one.stdout))).toEqual(Object.keys(objects[0]));
});

it('--prune --all deletes the queues of all runs only with --yes', async () => {
  const alone = await runs('--all');
  expect([alone.status, alone.stderr]).toEqual([
    2,
    expect.stringContaining('--all is for --prune'),
  ]);
  const asked = await runs('--prune', '--all');
  expect(asked.stderr).toMatch(/This deletes 3 runs .* --prune --all --yes --endpoint http/);
  expect(asked.stdout.match(/resize/g)).toHaveLength(3);
  expect(asked.status).toBe(2);
  const done = await runs('--prune', '--all', '--yes');
  expect(done.stdout.trim().split('\n')).toEqual(runIds);
  expect(done.stderr).toContain('3 runs deleted from endpoint');
  expect(done.status).toBe(0);
  const again = await runs('--prune', '--all');
  expect([again.stderr, again.status]).toEqual([expect.stringContaining('nothing to delete'), 0]);
});
