import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeleteQueueCommand, ListQueuesCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTask } from '../../src/index.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { type Command, fanfold, results, start } from './command.ts';
import { serveDeployment } from './served.ts';

let folder: string;
let output: string;
let number = 0;
let server: Awaited<ReturnType<typeof serveDeployment>>;
/** How often each input was run, by run. */
const runs = new Map<string, Map<number, number>>();

function count({ runId, index }: { runId: string; index: number }): void {
  const counts = runs.get(runId) ?? new Map<number, number>();
  runs.set(runId, counts.set(index, (counts.get(index) ?? 0) + 1));
}

const steady = defineTask({
  name: 'steady',
  async run(input: number, context) {
    count(context);
    await new Promise((resolve) => setTimeout(resolve, 10));
    return input;
  },
});

/** Runs until the gate opens. */
let gate = Promise.withResolvers<void>();
// A name so long that a few lines of a record fill a block.
const held = defineTask({
  name: 'held'.padEnd(80, '-'),
  async run(input: number, context) {
    count(context);
    await gate.promise;
    return input;
  },
});

/** Fails for odd numbers until it is fixed; from 40 on it waits for the gate. */
let fixed = false;
const oddFails = defineTask({
  name: 'odd-fails',
  maxAttempts: 1,
  async run(input: number, context) {
    count(context);
    if (input >= 40) await gate.promise;
    if (input % 2 === 1 && !fixed) throw new Error('odd');
    return input;
  },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fanfold-elsewhere-'));
  server = await serveDeployment({ steady, held, oddFails }, 3);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  gate.resolve();
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  output = join(folder, `results-${++number}.jsonl`);
  runs.clear();
  // Inputs of runs that tests have left hold workers.
  gate.resolve();
  gate = Promise.withResolvers();
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

/** Limits the size of files, in blocks of 512 bytes: further writes fail, as on a full disk. */
const fullAt = (blocks: number) => ['sh', '-c', `ulimit -f ${blocks}; exec "$0" "$@"`];

async function runId(command: Command): Promise<string> {
  const said = () => /began run (\S+)/.exec(command.said())?.[1];
  await expect.poll(said, { timeout: 60_000 }).toBeDefined();
  return said() ?? '';
}

describe('a run elsewhere', () => {
  it('is seeded, collected and deleted by one command', async () => {
    const { status, stderr } = await fanfold(args(200));
    expect(stderr).toContain('200 inputs = 200 ok');
    expect(status).toBe(0);
    expect(await written()).toEqual(range(200));
    expect(await queues()).toEqual([]);
  });

  // Runs before any run is cancelled, whose chunks may stay on the task queue for two minutes.
  it('can be collected by two commands, one after the other, each into its own file', {
    timeout: 240_000,
    tags: ['more'],
  }, async () => {
    const command = start(args(1_200));
    const id = await runId(command);
    await expect.poll(lines, { timeout: 60_000, interval: 20 }).toBeGreaterThan(30);
    command.child.kill('SIGINT');
    await command.ended;
    const mine = await readFile(output, 'utf8');
    const there = ['--endpoint', server.url];
    const other = join(folder, 'their.jsonl');
    const second = start(['collect', id, ...there, '--output', other]);
    await expect.poll(second.said, { timeout: 60_000 }).toContain(`collecting run ${id}`);
    const collector = () => fanfold(['status', id, ...there]).then(({ stdout }) => stdout);
    await expect.poll(collector, { timeout: 60_000 }).toContain('collector seen');
    const beside = await fanfold([...args(1_200), '--resume']);
    expect(beside.stderr).toMatch(/is being collected: its collector sent a heartbeat \d+ s ago/);
    expect(beside.status).toBe(2);
    expect(await readFile(output, 'utf8')).toBe(mine);
    const { status, stderr } = await second.ended;
    const taken = mine.split('\n').length - 1;
    expect(stderr).toContain(`another command has collected ${taken} more results of this run`);
    expect(stderr).toContain(`${1_200 - taken} inputs = ${1_200 - taken} ok`);
    expect(status).toBe(0);
    const all = results(mine + (await readFile(other, 'utf8')));
    expect(all.map(({ index }) => index).sort((a, b) => a - b)).toEqual(range(1_200));
  });

  // SQS redelivers the messages of a killed collector after a minute.
  it.each(['SIGKILL', 'SIGINT'] as const)(
    'continues without its command (%s), and the next command collects it',
    { timeout: 240_000 },
    async (signal) => {
      const command = start(args(600));
      const id = await runId(command);
      await expect.poll(lines, { timeout: 60_000, interval: 20 }).toBeGreaterThan(30);
      command.child.kill(signal);
      const { stderr } = await command.ended;
      if (signal === 'SIGINT') expect(stderr).toContain('to resume it: npx fanfold run steady');
      expect(await queues()).toHaveLength(1);
      const again = await fanfold(args(610, '--resume'));
      expect(again.stderr).toContain(`collecting run ${id}`);
      expect(again.stderr).toContain('10 inputs are new');
      expect(again.status).toBe(0);
      expect(await written()).toEqual(range(610));
      // The old inputs in the one run, none of them twice: everything had been seeded.
      expect([...(runs.get(id)?.keys() ?? [])].sort((a, b) => a - b)).toEqual(range(600));
      expect(runs.size).toBe(2);
      expect([...(runs.get(id)?.values() ?? [])].every((times) => times === 1)).toBe(true);
      expect(await queues()).toEqual([]);
    },
  );

  it('is started again for the missing inputs when it no longer exists', {
    tags: ['more'],
  }, async () => {
    const command = start(args(600));
    const id = await runId(command);
    await expect.poll(lines, { timeout: 60_000, interval: 20 }).toBeGreaterThan(30);
    command.child.kill('SIGKILL');
    await command.ended;
    const there = (await written()).length;
    const cancelled = await fanfold(['cancel', id, '--endpoint', server.url]);
    expect(cancelled.stderr).toContain('it had no collector');
    expect(cancelled.status).toBe(0);
    const { status, stderr } = await fanfold(args(600, '--resume'));
    expect(stderr).toContain(`${there} of them from earlier`);
    expect(status).toBe(0);
    expect(await written()).toEqual(range(600));
    expect(runs.size).toBe(2);
  });

  it('is cancelled by name while its command collects it', async () => {
    const command = start(args(5_000));
    const id = await runId(command);
    await expect.poll(lines, { timeout: 60_000, interval: 20 }).toBeGreaterThan(30);
    const cancelled = await fanfold(['cancel', id, '--endpoint', server.url]);
    expect(cancelled.stderr).toContain('its collector keeps the results');
    const { status, stderr } = await command.ended;
    expect(status).toBe(1);
    expect(stderr).toContain('ended early: it was cancelled');
    expect(await written()).toEqual(range(5_000));
    const again = await fanfold(['cancel', id, '--endpoint', server.url]);
    expect(again.stderr).toContain(`Run ${id} on endpoint ${server.url} has ended already`);
    expect(again.status).toBe(2);
  });

  it('is listed, and can be collected by another command once its own has left', {
    timeout: 240_000,
    tags: ['more'],
  }, async () => {
    const command = start(args(600));
    const id = await runId(command);
    await expect.poll(lines, { timeout: 60_000, interval: 20 }).toBeGreaterThan(30);
    const there = ['--endpoint', server.url];
    const runs = await fanfold(['runs', ...there]);
    expect(runs.stdout).toContain(`${id}  steady  sealed`);
    const second = await fanfold(['collect', id, ...there]);
    expect(second.stderr).toMatch(/is being collected: its collector sent a heartbeat \d+ s ago/);
    expect(second.status).toBe(2);
    command.child.kill('SIGINT');
    await command.ended;
    const status = await fanfold(['status', id, ...there]);
    expect(status.stdout).toMatch(/^inputs +600, all seeded$/m);
    expect(status.stdout).toMatch(/^collector +no collector$/m);
    expect(status.stdout).toMatch(/^done +\d+ of 600 done/m);
    expect(status.stdout).toMatch(/of all runs: \d+ chunks? waiting/);
    const other = join(folder, 'other.jsonl');
    await fanfold(['run', 'steady', ...there, '--range', '3', '--output', other]);
    await appendFile(other, '{"half a line');
    const others = await readFile(other, 'utf8');
    const wrong = await fanfold(['collect', id, ...there, '--output', other]);
    expect(wrong.stderr).toContain(`not of run ${id}`);
    expect(wrong.status).toBe(2);
    expect(await readFile(other, 'utf8')).toBe(others);
    const collected = await fanfold(['collect', id, ...there, '--output', output]);
    expect(collected).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('600 inputs = 600 ok'),
    });
    expect(await written()).toEqual(range(600));
    expect((await fanfold(['runs', ...there])).stderr).toContain('no runs on');
  });

  it('can be collected with the command that an interrupted collect prints', async () => {
    const there = ['--endpoint', server.url, '--output', output];
    const command = start(['run', held.name, '--range', '3', ...there]);
    const id = await runId(command);
    const recorded = () => readFile(`${output}.run`, 'utf8');
    await expect.poll(recorded, { timeout: 60_000 }).toContain('"seeded":3');
    command.child.kill('SIGINT');
    await command.ended;
    const line = ['collect', id, ...there];
    const interrupted = start(line);
    await expect.poll(interrupted.said, { timeout: 60_000 }).toContain(`collecting run ${id}`);
    interrupted.child.kill('SIGINT');
    const { status, stderr } = await interrupted.ended;
    expect(stderr).toContain(`to resume it: npx fanfold ${line.join(' ')}\n`);
    expect(status).toBe(130);
    gate.resolve();
    expect((await fanfold(line)).status).toBe(0);
    expect(await written()).toEqual(range(3));
  });

  it('reports to the next command how many results were printed before', async () => {
    const there = ['--endpoint', server.url];
    const command = start(['run', held.name, '--range', '3', ...there]);
    const id = await runId(command);
    const seeded = async () => (await fanfold(['status', id, ...there])).stdout;
    await expect.poll(seeded, { timeout: 60_000 }).toContain('all seeded');
    command.child.kill('SIGINT');
    const { status, stderr } = await command.ended;
    const line = ['collect', id, ...there];
    expect(stderr).toContain(
      `it continues there; to collect the remaining results: npx fanfold ${line.join(' ')}\n`,
    );
    expect(status).toBe(130);
    gate.resolve();
    const collected = results((await fanfold(line)).stdout);
    expect(collected.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
  });

  it('that is over is deleted by runs --prune', { tags: ['more'] }, async () => {
    // Long enough for a loaded machine to leave the run before its deadline.
    const command = start([...args(5_000), '--deadline', '8s']);
    const id = await runId(command);
    command.child.kill('SIGINT');
    await command.ended;
    const there = ['--endpoint', server.url];
    const prune = async () => (await fanfold(['runs', '--prune', ...there])).stdout;
    await expect.poll(prune, { timeout: 60_000, interval: 500 }).toBe(`${id}\n`);
    expect(await queues()).toEqual([]);
    const gone = await fanfold(['status', id, ...there]);
    expect(gone.stdout).toContain('it reached its deadline');
    expect(gone.status).toBe(0);
    const other = await fanfold(['status', newRunId(), ...there]);
    expect(other.stderr).toContain('There is no run');
    expect(other.status).toBe(2);
  });

  it('survives an output on a full disk', async () => {
    const command = start(args(600), { through: fullAt(20) });
    const { status, stderr } = await command.ended;
    expect(stderr).toContain('could not be written');
    expect(stderr).toContain('to resume it: npx fanfold run steady');
    expect(status).toBe(3);
    const [url = '', ...others] = await queues();
    expect(url).toContain(await runId(command));
    expect(others).toEqual([]);
    await server.client.send(new DeleteQueueCommand({ QueueUrl: url }));
  });

  it('survives a record on a full disk, and can be resumed', async () => {
    const there = ['--endpoint', server.url, '--input', '-', '--output', output];
    const line = ['run', held.name, ...there];
    const command = start(line, { through: fullAt(1) });
    const over = command.ended.then(() => true);
    const recorded = async () => (await readFile(`${output}.run`, 'utf8').catch(() => '')).length;
    let inputs = '0\n';
    command.child.stdin?.write(inputs);
    const id = await runId(command);
    await expect.poll(() => runs.get(id), { timeout: 60_000 }).toBeDefined();
    for (let ended = false; !ended; ) {
      const before = await recorded();
      const input = `${inputs.length}\n`;
      inputs += input;
      command.child.stdin?.write(input);
      const grown = expect.poll(recorded, { timeout: 60_000 }).toBeGreaterThan(before);
      ended = await Promise.race([over, grown.then(() => false)]);
      grown.catch(() => {});
    }
    const { status, stderr } = await command.ended;
    expect(stderr).toMatch(/\.run, which is needed to resume the run, could not be written/);
    expect(stderr).toContain('to resume it: npx fanfold run held');
    expect(status).toBe(3);
    expect(await queues()).toHaveLength(1);
    gate.resolve();
    const again = await fanfold([...line, '--resume'], inputs);
    expect(again.stderr).toContain(`collecting run ${id}`);
    expect(again.status).toBe(0);
    expect(await written()).toEqual(range(inputs.split('\n').length - 1));
  });

  it('is finished before its failed inputs run again', { tags: ['more'] }, async () => {
    // Two of the three workers at most wait for the gate.
    const there = ['--endpoint', server.url, '--range', '42', '--output', output];
    const command = start(['run', 'odd-fails', ...there]);
    const id = await runId(command);
    await expect.poll(lines, { timeout: 60_000, interval: 20 }).toBe(40);
    command.child.kill('SIGINT');
    await command.ended;
    fixed = true;
    const again = start(['run', 'odd-fails', ...there, '--resume', '--retry-failed']);
    await expect.poll(again.said, { timeout: 60_000 }).toContain(`collecting run ${id}`);
    gate.resolve();
    const { status, stderr } = await again.ended;
    expect(stderr).toContain('20 failed');
    expect(status).toBe(0);
    expect(await written()).toEqual(range(42));
    const [first, second, ...others] = [...runs.values()].map((counts) => [...counts.keys()]);
    expect(first).toHaveLength(42);
    expect(second?.sort((a, b) => a - b)).toEqual(range(40).filter((index) => index % 2 === 1));
    expect(others).toEqual([]);
    expect(await queues()).toEqual([]);
  });

  it('leaves old results unchanged if it cannot start', async () => {
    await writeFile(output, 'old');
    const there = ['--range', '3', '--output', output, '--overwrite', '--endpoint'];
    const unknown = await fanfold(['run', 'stead', ...there, server.url]);
    expect(unknown.stderr).toContain('Did you mean "steady"?');
    expect(unknown.status).toBe(2);
    expect((await fanfold(['run', 'steady', ...there, 'http://127.0.0.1:1'])).status).toBe(3);
    expect(await readFile(output, 'utf8')).toBe('old');
  });

  it('joins results to inputs that are read after the results arrive', async () => {
    const there = ['--endpoint', server.url, '--input', '-', '--output', output, '--with-input'];
    const inputs = range(60).map((index) => `${index + 7}\n`);
    const command = start(['run', held.name, ...there]);
    command.child.stdin?.end(inputs.join(''));
    const id = await runId(command);
    const recorded = () => readFile(`${output}.run`, 'utf8');
    await expect.poll(recorded, { timeout: 60_000, interval: 5 }).toContain('"seeded":60');
    command.child.kill('SIGINT');
    await command.ended;
    gate.resolve();
    const again = start(['run', held.name, ...there, '--resume']);
    again.child.stdin?.write(inputs[0]);
    await expect.poll(again.said, { timeout: 60_000 }).toContain('resuming after');
    const early = expect.poll(lines, { timeout: 1_000 }).toBeGreaterThan(0);
    await expect(early).rejects.toThrow();
    again.child.stdin?.end(inputs.slice(1).join(''));
    expect((await again.ended).stderr).toContain(`collecting run ${id}`);
    const all = results(await readFile(output, 'utf8'));
    expect(all.map(({ index }) => index).sort((a, b) => a - b)).toEqual(range(60));
    for (const { index, input } of all) expect(input).toBe(index + 7);
  });

  it('records its inputs before they run', async () => {
    const line = ['run', held.name, '--endpoint', server.url, '--input', '-', '--output', output];
    const command = start(line);
    command.child.stdin?.write('1\n');
    const id = await runId(command);
    await expect.poll(() => runs.get(id), { timeout: 60_000, interval: 5 }).toBeDefined();
    command.child.kill('SIGKILL');
    await command.ended;
    const changed = await fanfold([...line, '--resume'], '2\n');
    expect(changed.stderr).toContain('input 0 has changed');
    expect(changed.status).toBe(2);
  });

  it('reports wrong usage in sentences', async () => {
    const said = async (...line: string[]) => {
      const { status, stderr } = await fanfold(line);
      expect(status).toBe(2);
      return stderr;
    };
    expect(await said('cancel', '20261123T165514123-k3f9x2ab')).toContain(
      '--stack NAME, --endpoint URL, or FANFOLD_JOIN',
    );
    expect(await said('cancel', 'x', '--endpoint', server.url)).toContain('A run id must be like');
    expect(await said(...args(3), '--workers', '3')).toContain(
      '--workers is for runs on this machine',
    );
    expect(await said(...args(3), '--stack', 'x')).toContain('each name a place');
    expect(await said('run', 'x', '--range', '3', '--endpoint', 'here')).toContain(
      'An endpoint must be a URL like',
    );
  });
});
