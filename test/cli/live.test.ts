import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterAll, expect, it, vi } from 'vitest';
import { defineTask } from '../../src/index.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import type { LiveRun } from '../../src/ui/protocol.ts';
import type { PageClient } from '../ui/page-client.ts';
import { TASKS } from './command.ts';
import { inThisProcess } from './in-this-process.ts';
import { opened } from './opened-page.ts';
import { serveDeployment } from './served.ts';

const echo = defineTask({ name: 'echo', run: (input: number) => input });

const folder = mkdtempSync(join(tmpdir(), 'fanfold-live-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

/** The id of the first run on a page. */
function runIdOn(client: PageClient): Promise<string> {
  return vi.waitFor(async () => {
    const { runs } = (await (await client.get('/api/runs')).json()) as {
      runs: { runId: string }[];
    };
    if (runs[0] === undefined) throw new Error('no run yet');
    return runs[0].runId;
  }, 20_000);
}

it('run --ui shows the run, and its buttons change it', async () => {
  const inputs = ['throws', 'fine', ...Array(8).fill('waits')];
  writeFileSync(at('inputs.jsonl'), inputs.map((input) => `${JSON.stringify(input)}\n`).join(''));
  const files = ['--input', at('inputs.jsonl'), '--output', at('results.jsonl')];
  const where = ['--tasks', TASKS, '--workers', '1', '--quiet', '--log-level', 'info'];
  const { client, ended } = await opened(['run', 'talks', ...files, ...where, '--ui']);
  const runId = await runIdOn(client);
  const act = async (action: string, body: object = {}) => {
    expect([action, (await client.post(`/api/runs/${runId}/${action}`, body)).status]).toEqual([
      action,
      204,
    ]);
  };
  const states: string[] = [];
  for await (const { event, data } of client.events(runId)) {
    if (event === 'end') break;
    const { report, state, knobs, inputs: all, can } = JSON.parse(data) as LiveRun;
    const { ok, failed } = report.statistics.ledger;
    if (ok + failed < 2 || states.at(-1) === state) continue;
    states.push(state);
    expect([report.task, all, can.includes('inputs')]).toEqual(['talks', 10, true]);
    if (states.length === 1) {
      const detail = async (index: number) =>
        (await client.get(`/api/runs/${runId}/inputs/${index}`)).json();
      expect(await detail(0)).toMatchObject({
        ...{ index: 0, status: 'failed', input: '"throws"', attempts: 1 },
        error: expect.stringMatching(/TaskFailed.*TypeError.*of a cause/s),
        log: [{ level: 'info', text: '<b>throws</b>' }],
      });
      expect(await detail(1)).toMatchObject({ status: 'ok', input: '"fine"', output: '"fine"' });
      expect(await detail(9)).toMatchObject({ missing: ['It has no result yet.'] });
      expect(await detail(10)).toEqual({ error: expect.stringContaining('There is no input 10') });
      await act('set', { concurrency: 1, rate: '5/s' });
      await act('pause');
    } else if (state === 'paused') {
      expect(knobs).toEqual({ concurrency: 1, rate: '5/s' });
      await act('unpause');
    } else if (state === 'running') {
      await act('cancel');
    }
  }
  expect(states.slice(0, 3)).toEqual(['running', 'paused', 'running']);
  expect(states.at(-1)).toBe('ended');
  const { status, stdout } = await ended;
  expect([status, stdout]).toEqual([1, '']);
});

it('a page that is open does not hold up the end of the run', async () => {
  const { client, ended } = await opened(['run', 'echo', '--range', '3', '--workers', '1', '--ui']);
  const events = client.events(await runIdOn(client));
  const last = await Array.fromAsync(events, ({ event, data }) => ({ event, data }));
  const { state, report, because } = JSON.parse(last.at(-2)?.data ?? '') as LiveRun;
  expect([state, because, report.statistics.ledger.ok]).toEqual(['ended', undefined, 3]);
  const { status, stdout } = await ended;
  expect([status, stdout.split('\n').length]).toEqual([0, 4]);
});

it('ui shows the runs of a server, and changes them', async () => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  await using server = await serveDeployment({ echo }, 1);
  const runIds = [1, 2].map((minute) => newRunId(Date.now() - minute * 60_000)).toReversed();
  const queue = (runId = '') => `fanfold-run-${runId}`;
  for (const runId of runIds) {
    const tags = { task: 'resize', state: 'sealed', total: '7', ok: '2', failed: '1' };
    await server.client.send(new CreateQueueCommand({ QueueName: queue(runId), tags }));
  }
  const { client, ended } = await opened(['ui', '--endpoint', server.url]);
  const list = async () => (await client.get('/api/runs')).json();
  const [first = '', second = ''] = runIds;
  const counts = { ok: 2, failed: 1, cancelled: 0, inputs: 7, isSealed: true };
  expect(await list()).toEqual({
    place: `endpoint ${server.url}`,
    runs: [second, first].map((runId) =>
      expect.objectContaining({ runId, task: 'resize', state: 'running', ...counts }),
    ),
  });
  expect((await client.post(`/api/runs/${first}/pause`, {})).status).toBe(204);
  expect((await client.post(`/api/runs/${first}/set`, { rate: '5/s' })).status).toBe(204);
  const { value } = await client.events(first).next();
  expect(JSON.parse(value?.data ?? '')).toMatchObject({
    ...{ state: 'paused', inputs: 7, knobs: { concurrency: null, rate: '5/s' } },
    ...{ can: ['cancel', 'pause', 'set'], limit: expect.stringContaining('paused') },
    report: { statistics: { ledger: { inputs: 7, ok: 2, failed: 1 } } },
  });
  process.listeners('SIGINT').at(-1)?.('SIGINT');
  expect((await ended).status).toBe(0);
  vi.unstubAllEnvs();
});

it('flags that make no sense are refused before the run', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const refused = async (...flags: string[]) => {
    const file = at('refused.jsonl');
    const { status, stderr } = await inThisProcess([
      ...['run', 'echo', '--range', '3', '--output', file, ...flags],
    ]);
    expect([status, existsSync(file)]).toEqual([2, false]);
    return stderr;
  };
  expect(await refused('--ui', '--ui-port', `${port}`)).toContain('another program uses it');
  expect(await refused('--ui', '--ui-port', '65536')).toContain('--ui-port must be a whole number');
  expect(await refused('--ui-port', '4000')).toContain('add --ui');
  expect(await refused('--open')).toContain('add --ui');
  const stored = ['run', 'echo', '--range', '3', '--stack', 'x', '--output', 's3://', '--ui'];
  expect((await inThisProcess(['ui'])).stderr).toContain('Name the place');
  expect((await inThisProcess(stored)).stderr).toContain('fanfold ui --stack');
  other.close();
});
