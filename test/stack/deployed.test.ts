import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Run } from '../../src/pipeline/collecting/run.ts';
import { namesOf } from '../../src/pipeline/names.ts';
import { clientMeter } from '../../src/pipeline/run/client-meter.ts';
import { synthesize } from './assembly.ts';
import { clientsOf, invoke } from './deployment/clients.ts';
import { type Deployment, deploy } from './deployment/deployment.ts';

// The stack as it would be deployed, under its own policies, with processes for environments.
const folder = mkdtempSync(join(tmpdir(), 'fanfold-deployed-'));
let stack: Deployment;
let clients: ReturnType<typeof clientsOf>;

beforeAll(async () => {
  const { status, stderr } = await synthesize(process.cwd(), folder, { maxConcurrency: 4 });
  expect(status, stderr).toBe(0);
  stack = await deploy({
    assembly: folder,
    stack: 'Fanfold',
    operatorPolicy: 'Fanfold-operator-eu-central-1',
  });
  clients = clientsOf(stack);
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

interface Seeded {
  runId: string;
  resultQueueUrl: string;
}

/** The response of the seed function. */
async function seed(request: object): Promise<Seeded> {
  const { returned, failed } = await invoke(clients.lambda, 'Fanfold-seed', request);
  expect(failed, failed?.errorMessage).toBeUndefined();
  return returned as Seeded;
}

/** The results of a run, by their indexes: all of them, once the task queue is empty. */
async function resultsOf({ runId, resultQueueUrl }: Seeded) {
  await expect.poll(() => stack.sqs.peek('Fanfold-tasks'), { timeout: 10_000 }).toEqual([]);
  const messages = stack.sqs
    .peek(resultQueueUrl.replace(/.*\//, ''))
    .map(({ body }) => JSON.parse(body));
  return messages
    .filter((message) => message.runId === runId)
    .flatMap(({ results }) => results)
    .sort((one, other) => one.index - other.index);
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);

/** The log lines of workers, all of which are JSON. */
function logged(): Record<string, unknown>[] {
  return ['Fanfold-worker', 'Fanfold-burst'].flatMap((name) =>
    stack.functions.log(name).map((line) => JSON.parse(line)),
  );
}

describe('the bundles that are deployed', () => {
  it('bring every result of a run to its own queue exactly once', async () => {
    const inputs = Array.from(
      { length: 50 },
      (_, at) => [at, null, { at }, `\ufffe\uffff\u0000 ${at} é\u{1f600}`, [[at]]][at % 5],
    );
    const seeded = await seed({ task: 'echo', inputs, chunkItems: 3, results: 'own' });
    expect(seeded).toMatchObject({ task: 'echo', first: 0, count: 50, chunks: 17 });
    expect(seeded.resultQueueUrl).toBe(
      `${stack.place.endpoint}/123456789012/Fanfold-run-${seeded.runId}`,
    );
    const results = await resultsOf(seeded);
    expect(results.map(({ index }) => index)).toEqual(inputs.map((_, index) => index));
    expect(results.map(({ output }) => output)).toEqual(inputs);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['ok']));
  });

  it('run the built-in tasks, and report why one failed', async () => {
    const path = join(folder, 'hashed');
    writeFileSync(path, 'some bytes');
    const missing = join(folder, 'missing');
    const inputs = [path, missing];
    const seeded = await seed({ task: 'sha256', inputs, results: 'own' });
    const results = await resultsOf(seeded);
    const sha256 = createHash('sha256').update('some bytes').digest('hex');
    expect(results).toMatchObject([
      { index: 0, status: 'ok', output: { path, bytes: 10, sha256 } },
      {
        index: 1,
        status: 'failed',
        error: {
          code: 'TaskFailed',
          name: 'NonRetryableError',
          message: `The file ${JSON.stringify(missing)} cannot be read: there is no such file.`,
          attempts: 1,
        },
      },
    ]);
    // Its one failed attempt is found in the log by run and index.
    await expect
      .poll(() => logged().filter(({ runId, index }) => runId === seeded.runId && index === 1))
      .toMatchObject([
        {
          level: 'WARN',
          message: 'An attempt failed',
          service: 'Fanfold',
          task: 'sha256',
          attempt: 1,
        },
      ]);
  });

  it('report to the shared queue if the request does not ask for its own', async () => {
    const seeded = await seed({ task: 'echo', inputs: { from: 1, to: 3 } });
    expect(seeded.resultQueueUrl).toMatch(/\/Fanfold-results$/);
    const results = await resultsOf(seeded);
    expect(results.map(({ index, output }) => [index, output])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('respond to requests that they refuse', async () => {
    expect(await seed({ task: 'ehco', inputs: [] })).toEqual({
      error: { code: 'UnknownTask', message: expect.stringContaining('Did you mean "echo"?') },
    });
  });

  it('move unreadable messages to the dead-letter queue', async () => {
    const MessageBody = 'not a task';
    const QueueUrl = `${stack.place.endpoint}/123456789012/Fanfold-tasks`;
    // Operators may send no task message.
    const { sqs } = clientsOf(stack, stack.owner);
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    await expect.poll(() => stack.sqs.peek('Fanfold-tasks'), { timeout: 10_000 }).toEqual([]);
    expect(stack.sqs.peek('Fanfold-tasks-dead').map(({ body }) => body)).toEqual([MessageBody]);
  });

  it('start the burst workers that a run may have, which take chunks from the queue', async () => {
    const seeded = await seed({ task: 'echo', inputs: { from: 0, to: 9 }, chunkItems: 1 });
    expect(await resultsOf(seeded)).toHaveLength(10);
    // The event source's workers may have been quicker.
    const bursts = () => stack.functions.invocations('Fanfold-burst');
    await expect.poll(bursts, { timeout: 10_000 }).toBeGreaterThan(0);
  });

  it('emit metrics for CloudWatch', async () => {
    const counted = (name: string) =>
      logged().reduce((sum, { [name]: value = 0 }) => sum + Number(value), 0);
    // Burst workers report when they end.
    await expect.poll(() => counted('InputsOk'), { timeout: 20_000 }).toBe(64);
    expect(counted('InputsFailed')).toBe(1);
    expect(logged().find(({ InputsOk }) => InputsOk !== undefined)).toMatchObject({
      service: 'Fanfold',
      _aws: { CloudWatchMetrics: [{ Namespace: 'Fanfold', Dimensions: [['service']] }] },
    });
  });

  it('cut inputs from S3 for the maximum number of workers', async () => {
    const { sqs, lambda } = clients;
    const run = new Run({ sqs, lambda, names: namesOf('Fanfold') }, 'echo', numbers(256), {});
    expect(await Array.fromAsync(run)).toHaveLength(256);
    const pages = stack.functions.log('Fanfold-seed').map((line) => JSON.parse(line));
    // Of four, each gets 32 chunks.
    expect(pages.find(({ runId }) => runId === run.runId)).toMatchObject({
      message: 'A page was queued',
      chunks: 128,
    });
  });

  it('report what the seed has used to a collector that does not call it', async () => {
    const seeded = await seed({ task: 'echo', inputs: [1], results: 's3' });
    expect(seeded).toMatchObject({ used: expect.any(Array), output: expect.any(String) });
  });

  // The tests above have made the calls.
  it('make only calls that their roles allow, and end without errors', () => {
    expect(stack.authority.denials).toEqual([]);
    expect(stack.functions.failures).toEqual([]);
    const unused = stack.authority.unused();
    expect(unused).not.toContain('Fanfold-seed: sqs:SendMessage on Fanfold-tasks');
  });
});

describe('the meter of a run', () => {
  const FUNCTIONS = ['seed', 'worker', 'burst'].map((name) => `Fanfold-${name}`);

  /** Invocations and milliseconds by the deployment's own account, once no function runs. */
  async function account() {
    await expect.poll(() => stack.functions.running, { timeout: 30_000 }).toBe(0);
    const sum = (of: (name: string) => number) =>
      FUNCTIONS.reduce((all, name) => all + of(name), 0);
    const { functions } = stack;
    return {
      invocations: sum((name) => functions.invocations(name)),
      ms: sum((name) => functions.billedMs(name)),
    };
  }

  it('agrees with the invocations and the time of all functions', async () => {
    const { sqs, lambda } = clients;
    const metered = clientMeter(sqs, stack.place.region);
    const deployment = { sqs, lambda, names: namesOf('Fanfold'), metered };
    const before = await account();
    const inputs = numbers(60).map(() => ({ seconds: 0.2 }));
    const run = new Run(deployment, 'sleep', inputs, {});
    expect(await Array.fromAsync(run)).toHaveLength(60);
    const after = await account();
    const { counted, usd, region } = run.cost ?? expect.fail();
    const seconds = counted.gbSeconds.arm64 + counted.gbSeconds.x86_64;
    expect(counted.invocations).toBe(after.invocations - before.invocations);
    expect(Math.abs((seconds * 1000) / (after.ms - before.ms) - 1)).toBeLessThan(0.02);
    expect(region).toBe('eu-central-1');
    expect(usd).toBeGreaterThan(seconds * 0.0000133);
  });

  it('agrees with them also if workers are killed, and results come twice', {
    tags: ['more'],
  }, async () => {
    const { sqs, lambda } = clients;
    const metered = clientMeter(sqs, stack.place.region);
    const deployment = { sqs, lambda, names: namesOf('Fanfold'), metered };
    const before = await account();
    // Longer than the 45 s after which a silent worker counts as dead.
    const inputs = numbers(220).map(() => ({ seconds: 1 }));
    const run = new Run(deployment, 'sleep', inputs, {});
    let results = 0;
    for await (const _ of run) {
      if (++results !== 12) continue;
      stack.functions.killProcesses('Fanfold-burst');
      // SQS delivers again what they held, and what others hold.
      const held = stack.sqs.peek('Fanfold-tasks').filter(({ state }) => state === 'inFlight');
      const QueueUrl = `${stack.place.endpoint}/123456789012/Fanfold-tasks`;
      // Operators may send no task message.
      const owner = clientsOf(stack, stack.owner);
      const again = held.map(({ body: MessageBody }, at) =>
        owner.sqs.send(
          new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: `again-${at}` }),
        ),
      );
      await Promise.all(again);
    }
    const { ok, duplicates } = run.ledger;
    expect(ok).toBe(220);
    expect(duplicates).toBeGreaterThan(0);
    const after = await account();
    const { counted } = run.cost ?? expect.fail();
    const seconds = counted.gbSeconds.arm64 + counted.gbSeconds.x86_64;
    const [invocations, ms] = [after.invocations - before.invocations, after.ms - before.ms];
    expect(Math.abs(counted.invocations / invocations - 1)).toBeLessThan(0.02);
    expect(Math.abs((seconds * 1000) / ms - 1)).toBeLessThan(0.02);
  });
});
