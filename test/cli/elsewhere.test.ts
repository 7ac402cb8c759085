import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTask } from '../../src/index.ts';
import { type Command, fanfold, results, start } from './command.ts';
import { serveDeployment } from './served.ts';

let folder: string;
let output: string;
let number = 0;
let server: Awaited<ReturnType<typeof serveDeployment>>;
/** How often each input was run, by run. */
const runs = new Map<string, Map<number, number>>();

const steady = defineTask({
  name: 'steady',
  async run(input: number, { runId, index }) {
    const counts = runs.get(runId) ?? new Map<number, number>();
    runs.set(runId, counts.set(index, (counts.get(index) ?? 0) + 1));
    await new Promise((resolve) => setTimeout(resolve, 10));
    return input;
  },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanfold-elsewhere-'));
  server = await serveDeployment({ steady }, 3);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  output = join(folder, `results-${++number}.jsonl`);
  runs.clear();
});

const args = (count: number, ...more: string[]) => [
  'run',
  'steady',
  '--endpoint',
  server.url,
  '--range',
  String(count),
  '--output',
  output,
  ...more,
];
const range = (length: number) => Array.from({ length }, (_, index) => index);
const written = async () =>
  results(await readFile(output, 'utf8'))
    .map(({ index }) => index)
    .sort((a, b) => a - b);
const lines = async () => (await readFile(output, 'utf8').catch(() => '')).split('\n').length - 1;
const queues = async () =>
  (await server.client.send(new ListQueuesCommand({ QueueNamePrefix: 'fanfold-run-' })))
    .QueueUrls ?? [];

async function runId(command: Command): Promise<string> {
  const said = () => /began run (\S+)/.exec(command.said())?.[1];
  await expect.poll(said, { timeout: 15_000 }).toBeDefined();
  return said() ?? '';
}

describe('a run elsewhere', () => {
  it('is seeded, collected and cleared away from here', async () => {
    const { status, stderr } = await fanfold(args(200));
    expect(stderr).toContain('200 inputs = 200 ok');
    expect(status).toBe(0);
    expect(await written()).toEqual(range(200));
    expect(await queues()).toEqual([]);
  });

  // What a killed collector had in its hand comes again after a minute.
  it.each(['SIGKILL', 'SIGINT'] as const)(
    'goes on without its command (%s), and is collected by the next',
    { timeout: 120_000 },
    async (signal) => {
      const command = start(args(600));
      const id = await runId(command);
      await expect.poll(lines, { timeout: 15_000, interval: 20 }).toBeGreaterThan(30);
      command.child.kill(signal);
      const { stderr } = await command.ended;
      if (signal === 'SIGINT') expect(stderr).toContain('to go on with it: fanfold run steady');
      expect(await queues()).toHaveLength(1);
      const again = await fanfold(args(600, '--resume'));
      expect(again.stderr).toContain(`collecting run ${id}`);
      expect(again.status).toBe(0);
      expect(await written()).toEqual(range(600));
      // All in the one run, none of them twice: everything had been seeded.
      expect([...runs.keys()]).toEqual([id]);
      expect([...(runs.get(id)?.values() ?? [])].every((times) => times === 1)).toBe(true);
      expect(await queues()).toEqual([]);
    },
  );

  it('is begun anew for what is missing when it is gone', async () => {
    const command = start(args(600));
    const id = await runId(command);
    await expect.poll(lines, { timeout: 15_000, interval: 20 }).toBeGreaterThan(30);
    command.child.kill('SIGKILL');
    await command.ended;
    const there = (await written()).length;
    const cancelled = await fanfold(['cancel', id, '--endpoint', server.url]);
    expect(cancelled.stderr).toContain('nobody collected it');
    expect(cancelled.status).toBe(0);
    const { status, stderr } = await fanfold(args(600, '--resume'));
    expect(stderr).toContain(`${there} of them from before`);
    expect(status).toBe(0);
    expect(await written()).toEqual(range(600));
    expect(runs.size).toBe(2);
  });

  it('is cancelled by name while its command collects it', async () => {
    const command = start(args(5_000));
    const id = await runId(command);
    await expect.poll(lines, { timeout: 15_000, interval: 20 }).toBeGreaterThan(30);
    const cancelled = await fanfold(['cancel', id, '--endpoint', server.url]);
    expect(cancelled.stderr).toContain('its collector has the results');
    const { status, stderr } = await command.ended;
    expect(status).toBe(1);
    expect(stderr).toContain('ended early: it was cancelled');
    expect(await written()).toEqual(range(5_000));
    const again = await fanfold(['cancel', id, '--endpoint', server.url]);
    expect(again.stderr).toContain(`There is no run ${id} on "fanfold"`);
    expect(again.status).toBe(2);
  });

  it('is told of, and collected by another command when its own has left', {
    timeout: 120_000,
  }, async () => {
    const command = start(args(600));
    const id = await runId(command);
    await expect.poll(lines, { timeout: 15_000, interval: 20 }).toBeGreaterThan(30);
    const there = ['--endpoint', server.url];
    const runs = await fanfold(['runs', ...there]);
    expect(runs.stdout).toContain(`${id}  steady  sealed`);
    const second = await fanfold(['collect', id, ...there]);
    expect(second.stderr).toMatch(/is being collected: its collector was there \d+ s ago/);
    expect(second.status).toBe(2);
    command.child.kill('SIGINT');
    await command.ended;
    const status = await fanfold(['status', id, ...there]);
    expect(status.stdout).toMatch(/^inputs +600, all seeded$/m);
    expect(status.stdout).toMatch(/^collector +no collector$/m);
    expect(status.stdout).toMatch(/^done +\d+ of 600 done/m);
    expect(status.stdout).toMatch(/of all runs, \d+ chunks wait/);
    const other = join(folder, 'other.jsonl');
    await fanfold(['run', 'steady', ...there, '--range', '3', '--output', other]);
    const wrong = await fanfold(['collect', id, ...there, '--output', other]);
    expect(wrong.stderr).toContain(`not of run ${id}`);
    expect(wrong.status).toBe(2);
    const collected = await fanfold(['collect', id, ...there, '--output', output]);
    expect(collected).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('600 inputs = 600 ok'),
    });
    expect(await written()).toEqual(range(600));
    expect((await fanfold(['runs', ...there])).stderr).toContain('no runs on');
  });

  it('that is over is pruned when nobody did', async () => {
    const command = start([...args(600), '--deadline', '2s']);
    const id = await runId(command);
    await expect.poll(lines, { timeout: 15_000, interval: 20 }).toBeGreaterThan(30);
    command.child.kill('SIGINT');
    await command.ended;
    const there = ['--endpoint', server.url];
    const prune = async () => (await fanfold(['runs', '--prune', ...there])).stdout;
    await expect.poll(prune, { timeout: 15_000, interval: 500 }).toBe(`${id}\n`);
    expect(await queues()).toEqual([]);
    const gone = await fanfold(['status', id, ...there]);
    expect(gone.stderr).toContain(`There is no run ${id}`);
    expect(gone.status).toBe(2);
  });

  it('gets sentences where it is asked for wrongly', async () => {
    const said = async (...line: string[]) => {
      const { status, stderr } = await fanfold(line);
      expect(status).toBe(2);
      return stderr;
    };
    expect(await said('cancel', '20261123T165514123-k3f9x2ab')).toContain(
      '--stack NAME, or --endpoint',
    );
    expect(await said('cancel', 'x', '--endpoint', server.url)).toContain('A run id is like');
    expect(await said(...args(3), '--workers', '3')).toContain(
      '--workers is for runs on this machine',
    );
    expect(await said(...args(3), '--stack', 'x')).toContain('are two places');
    expect(await said('run', 'x', '--range', '3', '--endpoint', 'here')).toContain(
      'An endpoint is like',
    );
    expect(await said('run', 'stead', '--range', '3', '--endpoint', server.url)).toContain(
      'Did you mean "steady"?',
    );
  });
});
