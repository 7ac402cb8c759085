import { CreateQueueCommand, DeleteQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { connect, defineTask } from '../../src/index.ts';
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

it('--all also lists the runs that ended in the last day, and status shows them', async () => {
  await runs('--prune', '--all', '--yes');
  const runId = newRunId();
  const counts = { total: 24_532, ok: 24_529, failed: 3, cancelled: 0, elsewhere: 0 };
  const MessageBody = JSON.stringify({ v: 1, runId, task: 'echo', ...counts, collector: 'c' });
  const QueueUrl = `${server.url}/000000000000/fanfold-ended`;
  await server.client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  const { stdout, stderr, status } = await runs('--all');
  const rows = stdout.trim().split('\n');
  expect(rows.slice(0, 3)).toEqual(
    runIds.map((runId) =>
      expect.stringMatching(
        `^${runId}  resize  ended \\d s ago, 2 ok, 1 failed, 4 cancelled: its result queue was`,
      ),
    ),
  );
  expect(rows[3]).toMatch(new RegExp(`^${runId}  echo  ended \\d s ago, 24,529 ok, 3 failed$`));
  expect([stderr, status]).toEqual([
    `fanfold: no unfinished runs, and 4 runs that ended in the last day on endpoint ${server.url}\n`,
    0,
  ]);

  const { stdout: lines } = await runs('--all', '--json');
  const objects = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(objects[3]).toEqual({
    ...{ runId, task: 'echo', state: 'ended', inputs: 24532, ok: 24529, failed: 3, cancelled: 0 },
    ...{ elsewhere: 0, done: 24532, uncollectedMessages: 0, collector: 'c' },
    ...{ concurrency: null, rate: null, paused: null, outage: null, outageSince: null },
    ...{ began: expect.any(String), ended: expect.any(String), cause: null, deadline: null },
    ...{
      output: null,
      countedAt: null,
      costUsd: null,
      maxCostUsd: null,
      readAt: expect.any(String),
    },
  });

  const one = await inThisProcess(['status', runId, '--endpoint', server.url]);
  expect(one.stdout).toMatch(/^results +24,529 ok, 3 failed$/m);
  expect([one.stderr, one.status]).toEqual(['', 0]);

  const cancelled = await inThisProcess(['cancel', runId, '--endpoint', server.url]);
  expect(cancelled.stderr).toContain(`on endpoint ${server.url} has ended already: 24,529 ok`);
  const unknown = await inThisProcess(['cancel', newRunId(), '--endpoint', server.url]);
  expect(unknown.stderr).toContain(`on endpoint ${server.url}: it has ended, or never existed`);
  const set = (id: string) => inThisProcess(['set', id, '--rate', '1/s', '--endpoint', server.url]);
  expect((await set(runId)).stderr).toContain('has ended already: 24,529 ok, 3 failed. There is');
  const { stderr: unset } = await set(newRunId());
  expect(unset).toMatch(/on endpoint http\S+: it has ended, never existed, .*shared result queue/);
});

it('--all lists unfinished and ended runs together, oldest first', async () => {
  await runs('--prune', '--all', '--yes');
  const young = newRunId(Date.now() + 1_000);
  await server.client.send(new CreateQueueCommand({ QueueName: `fanfold-run-${young}` }));
  const { stdout, stderr } = await runs('--all');
  expect(stdout.trim().split('\n').at(-1)).toMatch(`${young}  ?  seeding`);
  expect(stderr).toContain('1 unfinished run, and ');
  const { stdout: lines } = await runs('--all', '--json');
  const objects = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(new Set(objects.map((one) => Object.keys(one).join())).size).toBe(1);
  await runs('--prune', '--all', '--yes');
});

it('a place without the list of ended runs lists the others, and says so', async () => {
  const QueueUrl = `${server.url}/000000000000/fanfold-ended`;
  await server.client.send(new DeleteQueueCommand({ QueueUrl }));
  for (const format of [[], ['--json']]) {
    const { stdout, stderr, status } = await runs('--all', ...format);
    expect(stdout.match(/resize/g)).toHaveLength(3);
    expect(stderr).toContain('keeps no list of ended runs, or you may not read it');
    expect(status).toBe(0);
  }
  const fanfold = await connect({ endpoint: server.url });
  await using _ = fanfold;
  expect(await fanfold.map('echo', [1, 2]).all()).toEqual([1, 2]);
});

it('--yes alone is refused', async () => {
  for (const flags of [['--yes'], ['--all', '--yes'], ['--prune', '--yes']]) {
    const { stderr, status } = await runs(...flags);
    expect([status, stderr]).toEqual([2, expect.stringContaining('--yes is for --prune --all')]);
  }
});
