// Runs of a stack whose results are stored in S3, from the command line. The SDK's own settings
// replace AWS by services of this process.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Listening, listen } from '../../src/emulator/transport/index.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { writeBucket } from '../../src/pipeline/run/tags.ts';
import { StateObject } from '../../src/pipeline/storing/state-object.ts';
import { defineTask } from '../../src/task.ts';
import type { InputDetail, LiveRun } from '../../src/ui/protocol.ts';
import { BUCKET, storedDeployment } from '../pipeline/storing/stored-deployment.ts';
import { filesOf, reportIn } from './answers.ts';
import { results } from './command.ts';
import { inThisProcess } from './in-this-process.ts';
import { opened } from './opened-page.ts';

const half = defineTask({
  name: 'half',
  maxAttempts: 1,
  run(input: number) {
    if (input === 7) throw new Error(`odd input ${input}`);
    return { half: input / 2 };
  },
});
const slow = defineTask({
  name: 'slow',
  run: (_input: number, { signal }) => pause(15_000, 0, { signal }),
});

const waits = defineTask({ name: 'waits', run: (ms: number) => pause(ms, ms) });

const { folder, file } = filesOf('stored');
const PLACE = `s3://${BUCKET}/runs/`;
const servers: Listening[] = [];
let deployed: Awaited<ReturnType<typeof storedDeployment>>;
let env: NodeJS.ProcessEnv;
/** Whether collector functions die before they have begun. */
let isBroken = false;

beforeAll(async () => {
  deployed = await storedDeployment([half, slow, waits], {
    limits: { ms: 100 },
    workers: 12,
    fateOf: ({ service, method, path }) =>
      isBroken && service === 's3' && method === 'GET' && path.endsWith('/state')
        ? 'dies before'
        : undefined,
  });
  const { sqs, lambda, objects } = deployed;
  const bus = () => ({ status: 200, headers: {}, body: '{"Entries":[{"EventId":"1"}]}' });
  for (const service of [sqs.service, lambda.service, objects.service, bus]) {
    servers.push(await listen(service));
  }
  const [queues, functions, buckets, events] = servers.map(({ url }) => url);
  env = {
    ...{ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' },
    ...{ AWS_ENDPOINT_URL_SQS: queues, AWS_ENDPOINT_URL_LAMBDA: functions },
    ...{ AWS_ENDPOINT_URL_S3: buckets, AWS_ENDPOINT_URL_EVENTBRIDGE: events },
    AWS_CONFIG_FILE: '/dev/null',
  };
});
afterAll(async () => {
  await deployed.lambda.close();
  deployed.sqs.close();
  for (const server of servers) await server.close();
});

const fanfold = (...args: string[]) => inThisProcess([...args, '--stack', 'virtual'], env);

async function detached(task: string, range: string, ...args: string[]): Promise<string> {
  const more = ['--detach', '--quiet', ...args];
  const { stdout, status } = await fanfold(
    'run',
    task,
    '--range',
    range,
    '--output',
    's3://',
    ...more,
  );
  expect(status).toBe(0);
  return stdout.trim();
}

it('follows a run to its end, and says what failed and where the results are', async () => {
  const run = await fanfold('run', 'half', '--range', '20', '--output', PLACE, '--ordered');
  const [, runId = ''] =
    /began run (\S+) on stack virtual; its results will be in/.exec(run.stderr) ?? [];
  expect(run.stdout).toBe('');
  expect(run.stderr).toMatch(
    /20 inputs = 19 ok \+ 1 failed \+ 0 cancelled, in [\d.]+ s; results are/,
  );
  expect(run.stderr).toContain(`results are in ${PLACE}${runId}/`);
  expect(run.stderr).toContain('1 failed, input 7: TaskFailed: Error: odd input 7');
  expect(run.stderr).toContain(`fanfold results ${runId} --stack virtual`);
  expect(run.status).toBe(1);
  const ordered = await fanfold('results', runId, '--ordered');
  expect(results(ordered.stdout).map(({ index }) => index)).toEqual(
    Array.from({ length: 20 }, (_, at) => at),
  );
  expect(ordered.status).toBe(0);
});

it('writes reports of stored runs: at the end, of one that was waited for, and later', async () => {
  const at = (name: string) => join(folder, name);
  const { stderr } = await fanfold(
    ...['run', 'half', '--range', '20', '--output', PLACE, '--report', at('run.html')],
  );
  expect(stderr).toContain(`the report is in ${at('run.html')}`);
  const report = reportIn(at('run.html'));
  expect(report).toMatchObject({ task: 'half', place: 'stack virtual', missing: [] });
  expect(report.statistics).toMatchObject({
    ledger: { inputs: 20, ok: 19, failed: 1, cancelled: 0 },
    durations: { count: 20 },
    failures: [{ code: 'TaskFailed', message: 'Error: odd input 7', count: 1, indexes: [7] }],
  });
  const { runId = '' } = report;
  await fanfold('wait', runId, '--report', at('wait.html'), '--quiet');
  expect(reportIn(at('wait.html')).statistics.series).toEqual(report.statistics.series);
  for (const named of [runId, `${PLACE}${runId}/`]) {
    await fanfold('report', named, '--output', at('later.html'));
    const { statistics, ...about } = reportIn(at('later.html'));
    expect({ ...about, workers: statistics.workers }).toEqual({
      ...{ task: 'half', runId, place: 'stack virtual', missing: [] },
      workers: report.statistics.workers,
    });
  }
  const unknown = await fanfold('report', newRunId());
  expect([unknown.status, unknown.stderr]).toEqual([2, expect.stringContaining('name the folder')]);
});

it('ui shows charts of runs that the stack has collected, or another command', async () => {
  await writeBucket(deployed.client, deployed.taskQueueUrl, BUCKET);
  // It ends after statistics were published.
  const input = file('waits.jsonl', '0\n6500\n');
  const run = await fanfold('run', 'waits', '--input', input, '--output', join(folder, 'waits'));
  const [, collected = ''] = /began run (\S+)/.exec(run.stderr) ?? [];
  const stored = await detached('half', '20');
  await fanfold('wait', stored, '--quiet');
  const { client, ended } = await opened(['ui', '--stack', 'virtual'], env);
  const statisticsOf = async (runId: string) => {
    const { value } = await client.events(runId).next();
    const { report, state, can } = JSON.parse(value?.data ?? '') as LiveRun;
    expect([runId, report.missing, state, can]).toEqual([runId, [], 'ended', ['inputs']]);
    return report.statistics;
  };
  const waited = await statisticsOf(collected);
  expect(waited).toMatchObject({ ledger: { inputs: 2, ok: 2 }, durations: { count: 2 } });
  expect(waited.series.length).toBeGreaterThan(10);
  const { workers, failures, ledger } = await statisticsOf(stored);
  expect(ledger).toMatchObject({ inputs: 20, ok: 19, failed: 1 });
  expect(workers.reduce((sum, { ok }) => sum + ok, 0)).toBe(19);
  expect(failures).toMatchObject([{ message: 'Error: odd input 7', indexes: [7] }]);
  const detailOf = async (runId: string, index: number) =>
    (await (await client.get(`/api/runs/${runId}/inputs/${index}`)).json()) as InputDetail;
  const failed = await detailOf(stored, 7);
  expect(failed).toMatchObject({ index: 7, status: 'failed', attempts: 1, missing: [] });
  expect(JSON.parse(failed.error ?? '')).toMatchObject({ message: 'odd input 7' });
  const fine = await detailOf(stored, 8);
  expect([fine.status, JSON.parse(fine.output ?? '')]).toEqual(['ok', { half: 4 }]);
  expect(fine.logLink).toContain('logsV2:logs-insights');
  expect(await detailOf(collected, 0)).toMatchObject({
    ...{ status: 'unknown', missing: [expect.stringContaining('where the run is collected')] },
  });
  process.listeners('SIGINT').at(-1)?.('SIGINT');
  expect((await ended).status).toBe(0);
});

it('leaves a run with --detach; wait, results, status and runs find it', async () => {
  const runId = await detached('half', '5', '--compression', 'gzip');
  const waited = await fanfold('wait', runId);
  expect(waited.stderr).toContain('5 inputs = 5 ok + 0 failed + 0 cancelled; results are in');
  expect(waited.status).toBe(0);
  const output = join(folder, 'fetched.jsonl');
  const fetched = await fanfold('results', `${PLACE}${runId}/`, '--output', output);
  expect(fetched.stderr).toContain(`5 results of run ${runId} are in ${output}`);
  expect(results(readFileSync(output, 'utf8')).length).toBe(5);
  const again = await fanfold('results', runId, '--output', output);
  expect(again.stderr).toContain('exists already');
  expect(again.status).toBe(2);
  const late = await fanfold('collect', runId);
  expect(late.stderr).toContain('has ended already: 5 ok, 0 failed. There is nothing to collect.');
  expect(late.stderr).toContain(`npx fanfold results ${runId} --stack virtual`);
  expect(late.status).toBe(2);
  const ended = await fanfold('status', runId);
  expect(ended.stdout).toContain(`stored in  ${PLACE}${runId}/`);
  expect((await fanfold('runs', '--all')).stdout).toContain(`results in ${PLACE}${runId}/`);
  const listed = results((await fanfold('runs', '--all', '--json')).stdout);
  expect(listed.find((run) => run.runId === runId)?.output).toBe(`${PLACE}${runId}/`);
});

it.each([
  ['followed', []],
  ['left', ['--detach']],
])('--quiet still reports that a run had no inputs that is %s', async (_, args) => {
  const input = file('none.jsonl', '\n');
  const given = ['--input', input, '--output', PLACE, '--quiet', ...args];
  const { stderr, status } = await fanfold('run', 'half', ...given);
  expect([stderr, status]).toEqual(['fanfold: 0 inputs: nothing was run\n', 0]);
});

it('Ctrl-C leaves a run that is seeded, and says how to follow it', async () => {
  const place = ['--output', PLACE, '--quiet'];
  const running = fanfold('run', 'slow', '--range', '3', ...place);
  const connection = deployed.connection();
  const runId = await vi.waitUntil(
    async () => {
      const [run] = await Array.fromAsync(connection.runs());
      return run?.state === 'sealed' && run.collector !== undefined && run.runId;
    },
    { timeout: 20_000 },
  );
  process.emit('SIGINT', 'SIGINT');
  const left = await running;
  expect(left.stderr).toContain(`goes on without this command; to follow it: npx fanfold wait`);
  expect(left.status).toBe(130);
  await connection.cancel(runId);
  const cancelled = await fanfold('wait', runId);
  expect(cancelled.stderr).toContain('ended early: it was cancelled');
  expect(cancelled.status).toBe(1);
});

it('collects a run of the function only once that was given up', async () => {
  isBroken = true;
  const runId = await detached('slow', '3');
  const row = await fanfold('runs');
  expect(row.stdout).toContain(`results in ${PLACE}${runId}/`);
  const refused = await fanfold('collect', runId);
  expect(refused.stderr).toContain('is collected by the function virtual-collector');
  expect(refused.status).toBe(2);
  const state = await StateObject.load(deployed.s3, { bucket: BUCKET, prefix: `runs/${runId}/` });
  // As the watchdog does after several restarts.
  await state?.replace({ isGivenUp: true, epoch: 9, owner: '' });
  isBroken = false;
  const named = await fanfold('collect', runId, '--output', join(folder, 'x.jsonl'));
  expect(named.stderr).toContain('leave --output and --ordered out');
  const { stderr } = await fanfold('cancel', runId);
  expect(stderr).toContain('will be cancelled');
  const collected = await fanfold('collect', runId);
  expect(collected.stderr).toContain('ended early: it was cancelled');
  expect(collected.stderr).toContain('3 inputs = 0 ok + 0 failed + 3 cancelled');
  expect(collected.status).toBe(1);
});

it('continues a run with its missing and failed inputs', { tags: ['more'] }, async () => {
  const input = file('continued.jsonl', '1\n2\n7\n');
  const args = ['run', 'half', '--input', input, '--output', PLACE];
  const first = await fanfold(...args);
  expect(first.status).toBe(1);
  const [, line = ''] = /to run failed inputs again: npx fanfold (.*)/.exec(first.stderr) ?? [];
  const [, runId = ''] = /--resume (\S+) --retry-failed$/.exec(line) ?? [];
  const waits = await fanfold(...args, '--resume', runId);
  expect(waits.stderr).toContain('each of the 3 inputs has a result');
  expect(waits.status).toBe(1);
  file('continued.jsonl', '1\n2\n7\n8\n');
  const again = await fanfold(...args, '--resume', `${PLACE}${runId}/`, '--retry-failed');
  expect(again.stderr).toContain(`continuing run ${runId} after 2 results (2 ok, 0 failed) of 3`);
  expect(again.stderr).toContain('1 are new');
  expect(again.stderr).toContain('4 inputs = 3 ok + 1 failed + 0 cancelled');
  const [, next = ''] = /fanfold results (\S+)/.exec(again.stderr) ?? [];
  const { stdout } = await fanfold('results', next, '--ordered');
  expect(results(stdout).map(({ index }) => index)).toEqual([0, 1, 2, 3]);
  file('continued.jsonl', '1\n3\n7\n8\n');
  const changed = await fanfold(...args, '--resume', next);
  expect(changed.stderr).toContain('Some of the first 4 inputs have changed');
  expect(changed.status).toBe(2);
});

it.each([
  [['--resume'], '--resume RUN'],
  [['--retry-failed'], 'works only with --resume RUN'],
  [['--resume=x'], 'takes the id of a run'],
])('refuses %s', async (flags, why) => {
  const place = ['--output', PLACE];
  const { stderr, status } = await fanfold('run', ...flags, 'half', '--range', '3', ...place);
  expect(stderr).toContain(why);
  expect(status).toBe(2);
});

it('tables are fetched as they are', async () => {
  const runId = await detached('half', '3', '--format', 'parquet');
  const { stderr } = await fanfold('wait', runId);
  expect(stderr).toMatch(/to fetch the results: aws s3 cp --recursive s3:\S+\/ \.$/m);
  expect(stderr).not.toContain('to read the results');
  const output = join(folder, 'table.jsonl');
  const refused = await fanfold('results', runId, '--output', output);
  expect(refused.stderr).toContain('results/0001-000000.parquet');
  expect(refused.stderr).toContain('aws s3 cp --recursive');
  expect([refused.status, existsSync(output)]).toEqual([2, false]);
});

it('a bad input ends the run, and is named by its line', async () => {
  const input = file('bad.jsonl', '1\n2\nx\n');
  const run = await fanfold('run', 'half', '--input', input, '--output', PLACE);
  expect(run.stderr).toMatch(/bad\.jsonl, line 3: .* not JSON/);
  expect(run.status).toBe(2);
});

it('a place that the stack may not write is refused, before anything is queued', async () => {
  const run = await fanfold('run', 'half', '--range', '3', '--output', 's3://another/');
  expect(run.stderr).toContain(`Results may be stored in ${PLACE}; got s3://another/`);
  expect(run.status).toBe(2);
  expect((await fanfold('runs')).stdout).toBe('');
});
