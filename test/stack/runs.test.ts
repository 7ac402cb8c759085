// A stack with all optional parts, and runs on it by the command line, whose user has only the
// stack's own policy for people. At the end, unused grants are reported.
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { ListBucketsCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { motoForTests } from '../../scripts/moto.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import type { RunOptions } from '../../src/pipeline/collecting/run-options.ts';
import { namesOf } from '../../src/pipeline/names.ts';
import { FANFOLD, results, start } from '../cli/command.ts';
import { wrongClock } from '../cli/wrong-clock.ts';
import { type Ended, run, synthesize } from './assembly.ts';
import { clientsOf, invoke } from './deployment/clients.ts';
import { type Deployment, type DeployOptions, deploy } from './deployment/deployment.ts';
import { grantsOf, withoutGrant } from './deployment/policies/index.ts';
import { readTemplate } from './deployment/template.ts';
import {
  type Begun,
  ended,
  KILLED,
  killedAndRestarted,
  queuesOf,
  seeded,
  watched,
} from './stored-runs.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-runs-'));
const TASKS = resolve('test/stack/deployment/tasks.ts');
const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000000';

/** Places for results that no run can use, though the stack's policies allow them. */
const UNUSABLE = ['closed', 'missing', 'faraway'];

/** The policy of a bucket that refuses writes. */
const CLOSED = {
  Type: 'AWS::S3::BucketPolicy',
  Properties: {
    Bucket: 'closed',
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: {
        Effect: 'Deny',
        Principal: { AWS: '*' },
        Action: 's3:PutObject',
        Resource: 'arn:aws:s3:::closed/*',
      },
    },
  },
};

let stack: Deployment;
/** Its collector is killed before other runs begin: Lambda repeats that one after a minute. */
let killed: Begun;
/** Started first, because a dead worker's chunk is visible only after two minutes. */
let mortal: Promise<Ended>;
/** Grants that none of the deployments here has used. */
let unused: string[];

beforeAll(async () => {
  const { status, stderr } = await synthesize(process.cwd(), folder, {
    tasks: TASKS,
    maxConcurrency: 6,
    encryptionKey: KEY,
    inputBuckets: 'inputs,archive/photos/',
    resultPlaces: ['reports/daily/', ...UNUSABLE].join(','),
  });
  expect(status, stderr).toBe(0);
  stack = await deployed({}, { foreignS3: motoForTests() !== undefined });
  unused = stack.authority.unused();
  const lines = [{ file: join(folder, 'died') }, {}, {}].map((input) => JSON.stringify(input));
  mortal = fanfold('run', 'mortal', '--input', file('mortal.jsonl', lines.join('\n')));
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** Deploys the stack, with some properties changed: of functions by name, of others by type. */
function deployed(
  changes: Readonly<Record<string, object>> = {},
  more: Partial<DeployOptions> = {},
): Promise<Deployment> {
  const template = readTemplate(folder, 'Fanfold');
  for (const { Type, Properties = {} } of Object.values(template.Resources)) {
    Object.assign(Properties, changes[String(Properties.FunctionName)] ?? changes[Type]);
  }
  Object.assign(template.Resources, { Closed: CLOSED });
  const buckets = ['inputs', 'archive', 'reports', 'closed'];
  const places = { assembly: folder, stack: 'Fanfold', buckets, bucketsElsewhere: ['faraway'] };
  const policies = {
    operatorPolicy: 'Fanfold-operator-eu-central-1',
    workPolicy: 'Fanfold-work-eu-central-1',
  };
  return deploy({ ...places, ...policies, ...more, template });
}

/** A command of the operator, or of the environment's user. */
function fanfoldAt(
  { env }: Pick<Deployment, 'env'>,
  command: string,
  ...args: string[]
): Promise<Ended> {
  const line = ['node', FANFOLD, command, ...args, '--stack', 'Fanfold'];
  return run(line, { env });
}

function fanfold(command: string, ...args: string[]): Promise<Ended> {
  return fanfoldAt(stack, command, ...args);
}

/** A command of the operator that the test controls; it ends with the test. */
function begin({ env }: Pick<Deployment, 'env'>, ...args: string[]): ReturnType<typeof start> {
  const command = start([...args, '--stack', 'Fanfold'], { env });
  onTestFinished(() => void command.child.kill('SIGKILL'));
  return command;
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

async function put(
  deployment: Deployment,
  Key: string,
  lines: readonly string[],
  Bucket = 'inputs',
): Promise<void> {
  const { s3 } = clientsOf(deployment, deployment.owner);
  await s3.send(new PutObjectCommand({ Bucket, Key, Body: `${lines.join('\n')}\n` }));
}

/** Lengths of two inputs, of which no message can hold the first. */
const LENGTHS = [2_000_000, 5];

function largeFile(): string {
  const lines = LENGTHS.map((length) => JSON.stringify('x'.repeat(length)));
  return file('large-inputs.jsonl', lines.join('\n'));
}

function lengthsOf(lines: readonly { index: number; output?: unknown }[]): number[] {
  const sorted = lines.toSorted((one, other) => one.index - other.index);
  return sorted.map(({ output }) => String(output).length);
}

/** The objects of inputs and outputs that no message can hold. */
async function payloadsIn(deployment: Deployment): Promise<(string | undefined)[]> {
  const { s3 } = clientsOf(deployment, deployment.owner);
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const Bucket = Buckets.find(({ Name = '' }) => Name.includes('bucket'))?.Name;
  const list = new ListObjectsV2Command({ Bucket, Prefix: 'payloads/' });
  const keys = ((await s3.send(list)).Contents ?? []).map(({ Key }) => Key);
  // Statistics stay.
  return keys.filter((key) => !key?.startsWith('payloads/statistics/'));
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

function indexesOf(stdout: string): number[] {
  return results(stdout)
    .map(({ index }) => index)
    .sort((one, other) => one - other);
}

/** When each input of a run ran, in order. The operator's clients start it. */
async function spansOf(deployment: Deployment, count: number, bounds: RunOptions) {
  const { sqs, lambda } = clientsOf(deployment);
  const place = { sqs, lambda, names: namesOf('Fanfold'), countsLate: true };
  const run = new Run<[began: number, ended: number]>(place, 'span', numbers(count), bounds);
  const spans = (await Array.fromAsync(run)).map((result) =>
    result.status === 'ok' ? result.output : [],
  );
  return spans.sort(([one = 0], [other = 0]) => one - other);
}

/** Largest number of spans that share a moment. */
function mostAtOnce(spans: readonly (readonly number[])[]): number {
  const during = ([began = 0]: readonly number[]) =>
    spans.filter(([from = 0, to = 0]) => from <= began && began < to).length;
  return Math.max(...spans.map(during));
}

/** The calls that a deployment refused. Records the grants that it has used. */
function refusedBy({ authority }: Deployment) {
  const unusedThere = new Set(authority.unused());
  unused = unused.filter((line) => unusedThere.has(line));
  return authority.denials;
}

it('the watchdog replaces a killed collector', async () => {
  killed = await killedAndRestarted(stack, 30);
});

describe('fanfold --stack', () => {
  it('runs the classic ten tasks', async () => {
    const { status, stdout, stderr } = await fanfold('run', 'sleep', '--range', '10');
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('10 inputs = 10 ok + 0 failed + 0 cancelled'),
    });
    expect(indexesOf(stdout)).toEqual(numbers(10));
  });

  it.each([-3, 3])('runs for a caller whose clock is off by %i days', async (days) => {
    const { env } = wrongClock(join(folder, 'clock'), days * 86_400_000);
    const caller = { env: { ...stack.env, ...env } };
    const line = ['echo', '--range', '20', '--deadline', '4m'];
    const { status, stderr } = await fanfoldAt(caller, 'run', ...line);
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('20 inputs = 20 ok + 0 failed + 0 cancelled'),
    });
  });

  it('hashes files', async () => {
    const pattern = 'cdk/*.ts';
    const { status, stdout } = await fanfold('run', 'sha256', '--glob', pattern);
    expect(status).toBe(0);
    const hashes = results(stdout).map(({ output }) => {
      const { path, sha256 } = output as { path: string; sha256: string };
      return [path, sha256];
    });
    const expected = globSync(pattern).map((path) => [
      path,
      createHash('sha256').update(readFileSync(path)).digest('hex'),
    ]);
    expect(hashes.sort()).toEqual(expected.sort());
  });

  it('reports failed inputs, and retries them', async () => {
    const { status, stdout } = await fanfold('run', 'picky', '--range', '30', '--ordered');
    expect(status).toBe(1);
    expect(results(stdout)).toMatchObject(
      numbers(30).map((index) =>
        index % 3 === 1
          ? {
              index,
              status: 'failed',
              error: { code: 'TaskFailed', message: `${index} is not to its taste`, attempts: 1 },
            }
          : { index, status: 'ok', output: index * 2 },
      ),
    );
  });

  it('runs more inputs than fit into one invocation of the seed', async () => {
    const before = stack.functions.invocations('Fanfold-seed');
    const { status, stderr, stdout } = await fanfold('run', 'echo', '--range', '6000');
    expect(status, stderr).toBe(0);
    expect(indexesOf(stdout)).toEqual(numbers(6_000));
    // The first invocation only checks the task.
    expect(stack.functions.invocations('Fanfold-seed') - before).toBeGreaterThanOrEqual(3);
  });

  it('carries an input and its output that no message can hold', async () => {
    const { status, stdout, stderr } = await fanfold('run', 'echo', '--input', largeFile());
    expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringContaining('2 ok') });
    expect(lengthsOf(results(stdout))).toEqual(LENGTHS);
    expect(await payloadsIn(stack)).toEqual([]);
  });

  it('shows a run, and cancels it', async () => {
    const running = begin(stack, 'run', 'nap', '--range', '400');
    const runId = await begun(running);
    expect((await fanfold('runs')).stdout).toContain(runId);
    expect((await fanfold('status', runId)).stdout).toContain('nap');
    expect(await fanfold('cancel', runId)).toMatchObject({ status: 0 });
    const { status, stderr } = await running.ended;
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(/400 inputs = \d+ ok \+ 0 failed \+ [1-9]\d* cancelled/);
    const shown = await fanfold('runs', '--all');
    expect(shown.stdout).toMatch(new RegExp(`^${runId}  nap  ended .* cancelled: it was`, 'm'));
    expect(shown.stdout).toMatch(/ {2}echo {2}ended \d+ \S+ ago, 6,000 ok, 0 failed$/m);
  });

  it('cancels a run before it costs more than its limit', async () => {
    const output = ['--output', join(folder, 'limit.jsonl')];
    const given = ['--range', '600', '--max-cost', '0.003', ...output];
    const { status, stderr } = await fanfold('run', 'sleep', ...given);
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(/ended early: it reached its cost limit of \$0.0030: .* was metered/);
    expect(stderr).toMatch(/600 inputs = [1-9]\d* ok \+ 0 failed \+ [1-9]\d* cancelled/);
    // What is in flight, and how long it takes to stop, depends on the machine.
    expect(stderr).toMatch(/cost: (at least )?\$0\.00[0-3]\d/);
    expect(stderr).toMatch(/to run the cancelled inputs, .*--resume/);
  });

  it('collects a run that its command left', async () => {
    const output = join(folder, 'left.jsonl');
    const left = begin(stack, 'run', 'nap', '--range', '30', '--output', output);
    const runId = await begun(left);
    left.child.kill('SIGINT');
    expect(await left.ended).toMatchObject({ status: 130 });
    const { status, stderr } = await fanfold('collect', runId, '--output', output);
    expect(status, stderr).toBe(0);
    expect(indexesOf(readFileSync(output, 'utf8'))).toEqual(numbers(30));
    // SQS redelivers results that the first command received and did not write.
  }, 90_000);

  it('moves unreadable messages back', async () => {
    const { sqs } = clientsOf(stack, stack.owner);
    const QueueUrl = `${stack.place.endpoint}/123456789012/Fanfold-tasks`;
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'no task' }));
    const dead = () => stack.sqs.peek('Fanfold-tasks-dead').map(({ messageId }) => messageId);
    await expect.poll(dead, { timeout: 10_000 }).toHaveLength(1);
    const [first] = dead();
    expect(await fanfoldAt({ env: stack.machineEnv }, 'redrive')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('moved 1 task message of stack Fanfold back'),
    });
    // The message is still unreadable.
    await expect.poll(dead, { timeout: 10_000 }).toHaveLength(1);
    expect(dead()).not.toEqual([first]);
  });

  it('runs over an object in S3', async () => {
    await put(stack, 'some/inputs.jsonl', numbers(100).map(String));
    const input = ['--input', 's3://inputs/some/inputs.jsonl'];
    const { status, stdout, stderr } = await fanfold('run', 'echo', ...input);
    expect(status, stderr).toBe(0);
    expect(indexesOf(stdout)).toEqual(numbers(100));
  });

  it('runs over the objects of a prefix, and over no others of their bucket', async () => {
    await put(stack, 'photos/inputs.jsonl', ['1', '2'], 'archive');
    await put(stack, 'private.jsonl', ['3'], 'archive');
    const input = ['--input', 's3://archive/photos/inputs.jsonl'];
    const { status, stdout, stderr } = await fanfold('run', 'echo', ...input);
    expect(status, stderr).toBe(0);
    expect(indexesOf(stdout)).toEqual([0, 1]);
    expect(await fanfold('run', 'echo', '--input', 's3://archive/private.jsonl')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('access is denied'),
    });
  });

  it.each([
    ['an object that is not there', 'none.jsonl', undefined],
    ['a first line that is no input', 'bad.jsonl', ['nonsense']],
    ['a later one', 'later.jsonl', [...numbers(50_000).map(String), 'nonsense']],
  ])('names %s', async (_, key, lines) => {
    if (lines) await put(stack, key, lines);
    const place = `s3://inputs/${key}${lines ? `, line ${lines.length}` : ''}`;
    expect(await fanfold('run', 'echo', '--input', `s3://inputs/${key}`)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(place),
    });
  });

  async function begun({ said }: ReturnType<typeof start>): Promise<string> {
    await expect.poll(said, { timeout: 20_000 }).toContain('began run');
    return /\d{8}T\d+-\w+/.exec(said())?.[0] ?? '';
  }
});

describe('a run that needs nobody', () => {
  it('is one invocation of the seed', async () => {
    const inputs = numbers(30);
    const begun = await seeded(stack, { task: 'picky', inputs, results: 's3' });
    expect(begun.output).toMatch(/^s3:\/\/fanfold-fanfoldbucket[^/]+\/runs\/\d{8}T\d+-\w+\/$/);
    const { manifest, lines } = await ended(stack, begun);
    expect(manifest).toMatchObject({
      ledger: { inputs: 30, ok: 20, failed: 10, cancelled: 0 },
      failures: [{ code: 'TaskFailed', count: 10 }],
    });
    expect(lines).toMatchObject(
      inputs.map((index) =>
        index % 3 === 1
          ? { index, status: 'failed', error: { code: 'TaskFailed' } }
          : { index, status: 'ok', output: index * 2 },
      ),
    );
  });

  it('takes its inputs from S3, in several invocations of the seed, and stores its results there', async () => {
    await put(stack, 'nightly.jsonl', numbers(6_000).map(String));
    const begun = await seeded(stack, {
      task: 'echo',
      inputs: { s3: 's3://inputs/nightly.jsonl' },
      results: { s3: 's3://reports/daily/photos' },
    });
    expect(begun.output).toBe(`s3://reports/daily/photos/${begun.runId}/`);
    const { manifest, lines } = await ended(stack, begun);
    expect(manifest.ledger).toEqual({ inputs: 6_000, ok: 6_000, failed: 0, cancelled: 0 });
    expect(lines.map(({ index, output }) => [index, output])).toEqual(
      numbers(6_000).map((index) => [index, index]),
    );
  });

  it('carries inputs from S3 and outputs that no message can hold', async () => {
    await put(
      stack,
      'long.jsonl',
      LENGTHS.map((length) => JSON.stringify('x'.repeat(length))),
    );
    const inputs = { s3: 's3://inputs/long.jsonl' };
    const begun = await seeded(stack, { task: 'echo', inputs, results: 's3' });
    const { manifest, lines } = await ended(stack, begun);
    expect(manifest.ledger).toMatchObject({ inputs: 2, ok: 2 });
    expect(lengthsOf(lines)).toEqual(LENGTHS);
    expect(await payloadsIn(stack)).toEqual([]);
  });

  it('stores one table in input order, in an upload of several parts', async () => {
    const texts = numbers(120).map((at) => randomBytes(75_000).toString('base64').concat(`${at}`));
    await put(
      stack,
      'large.jsonl',
      texts.map((text, at) => JSON.stringify({ at, text })),
    );
    const begun = await seeded(stack, {
      task: 'echo',
      inputs: { s3: 's3://inputs/large.jsonl' },
      results: { s3: 's3://', format: 'csv', compression: 'gzip', ordered: true },
    });
    const { manifest, parts } = await ended(stack, begun);
    expect(manifest).toMatchObject({
      ...{ format: 'csv', compression: 'gzip', ordered: true },
      parts: [{ key: 'results.csv.gz', kind: 'results', results: 120, indexes: [0, 119] }],
    });
    expect(manifest.parts[0]?.bytes).toBeGreaterThan(8 * 1024 * 1024);
    const [, ...rows] = parts['results.csv.gz']?.trimEnd().split('\r\n') ?? [];
    const digest = (text: string) => createHash('md5').update(text).digest('hex');
    expect(rows.map(digest)).toEqual(texts.map((text, at) => digest(`${at},${at},${text}`)));
  });

  it('is followed and read by the command line', async () => {
    const place = ['--output', 's3://reports/daily/', '--range', '40'];
    const { status, stderr } = await fanfold('run', 'echo', ...place);
    expect(status, stderr).toBe(0);
    const [, runId = ''] = /began run (\S+)/.exec(stderr) ?? [];
    const read = await fanfold('results', `s3://reports/daily/${runId}/`, '--ordered');
    expect(read.status, read.stderr).toBe(0);
    expect(indexesOf(read.stdout)).toEqual(numbers(40));
  });

  it('can be read while it goes on, cancelled and waited for, and not collected by others', async () => {
    const begun = await seeded(stack, { task: 'nap', inputs: numbers(400), results: 's3' });
    // It has no manifest yet, which the operator may not list in the whole bucket.
    expect(await fanfold('results', begun.output)).toMatchObject({ status: 0, stdout: '' });
    expect(await fanfold('collect', begun.runId)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is collected by the function Fanfold-collector'),
    });
    const waiting = fanfold('wait', begun.runId);
    expect(await fanfold('cancel', begun.runId)).toMatchObject({ status: 0 });
    const { manifest } = await ended(stack, begun);
    expect(manifest.cause).toContain('cancelled');
    expect(manifest.ledger.inputs).toBe(400);
    expect(await waiting).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('400 inputs = '),
    });
  });

  it('leaves the watchdog nothing to do', async () => {
    const before = stack.functions.invocations('Fanfold-collector');
    expect(await watched(stack)).toEqual({ returned: {} });
    expect(stack.functions.invocations('Fanfold-collector')).toBe(before + 1);
  });
});

describe('a run with bounds', () => {
  it('has at most as many inputs at once as its concurrency', async () => {
    const spans = await spansOf(stack, 16, { concurrency: 2 });
    expect(spans).toHaveLength(16);
    expect(mostAtOnce(spans)).toBe(2);
  });

  it('starts inputs no faster than its rate', async () => {
    const spans = await spansOf(stack, 40, { rate: '10/s' });
    const starts = spans.map(([began = 0]) => began);
    expect(starts).toHaveLength(40);
    // One lane for each of six workers may start at first.
    const lanes = 6;
    expect((starts.at(-1) ?? 0) - (starts[0] ?? 0)).toBeGreaterThan((40 / lanes - 1) * lanes * 100);
  });

  it('leaves no chunk in its lanes', async () => {
    const left = () => stack.sqs.peek('Fanfold-lanes.fifo');
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });
});

describe.skipIf(!hasAws())('the AWS CLI', () => {
  // Older ones know no AWS_ENDPOINT_URL.
  const aws = async (...args: string[]) => {
    const line = ['aws', '--endpoint-url', stack.place.endpoint, '--output', 'json', ...args];
    const { status, stdout, stderr } = await run(line, { env: stack.env });
    expect(status, stderr).toBe(0);
    return JSON.parse(stdout || '{}');
  };

  it('seeds a run by `lambda invoke`, and receives its results', async () => {
    const payload = file('payload.json', '{"task":"echo","inputs":["by","hand"]}');
    const answer = join(folder, 'seeded.json');
    const name = ['--function-name', 'Fanfold-seed'];
    await aws('lambda', 'invoke', ...name, '--payload', `fileb://${payload}`, answer);
    const { runId } = JSON.parse(readFileSync(answer, 'utf8'));

    const { QueueUrl } = await aws('sqs', 'get-queue-url', '--queue-name', 'Fanfold-results');
    const queue = ['--queue-url', QueueUrl];
    const outputs: unknown[] = [];
    while (outputs.length < 2) {
      const received = await aws('sqs', 'receive-message', ...queue, '--wait-time-seconds', '10');
      for (const { Body, ReceiptHandle } of received.Messages ?? []) {
        const message: { runId: string; results: { output: unknown }[] } = JSON.parse(Body);
        expect(message.runId).toBe(runId);
        outputs.push(...message.results.map(({ output }) => output));
        await aws('sqs', 'delete-message', ...queue, '--receipt-handle', ReceiptHandle);
      }
    }
    expect(outputs.sort()).toEqual(['by', 'hand']);
  });
});

describe('people who work on a stack', () => {
  let idle: Deployment;

  beforeAll(async () => {
    idle = await deployed({
      'AWS::Lambda::EventSourceMapping': { Enabled: false },
      // No burst worker has time to receive a chunk.
      'Fanfold-burst': { Timeout: 5 },
    });
  });
  afterAll(() => idle?.[Symbol.asyncDispose]());

  it('take its chunks, send them again, and report', async () => {
    const { lambda } = clientsOf(idle);
    const { sqs } = clientsOf(idle, idle.owner);
    const QueueUrl = `${idle.place.endpoint}/123456789012/Fanfold-tasks`;
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'no task' }));
    await invoke(lambda, 'Fanfold-seed', { task: 'echo', inputs: ['shared'] });
    const working = begin({ env: idle.machineEnv }, 'work', '--workers', '2', '--tasks', TASKS);
    const picky = await fanfoldAt(idle, 'run', 'picky', '--range', '30');
    expect(picky.stderr).toContain('30 inputs = 20 ok + 10 failed');
    const names = file('names.txt', 'AWS_LAMBDA_FUNCTION_NAME\n');
    const { stdout } = await fanfoldAt(idle, 'run', 'surroundings', '--input', names);
    expect(results(stdout)).toMatchObject([{ status: 'ok', output: null }]);
    const large = await fanfoldAt(idle, 'run', 'echo', '--input', largeFile());
    expect(lengthsOf(results(large.stdout))).toEqual(LENGTHS);
    expect(mostAtOnce(await spansOf(idle, 8, { concurrency: 1 }))).toBe(1);
    await expect.poll(() => idle.sqs.peek('Fanfold-tasks')).toEqual([]);
    working.child.kill('SIGTERM');
    expect(await working.ended).toMatchObject({ status: 0 });
    expect(idle.sqs.peek('Fanfold-tasks-dead')).toMatchObject([{ body: 'no task' }]);
    expect(idle.sqs.peek('Fanfold-results')).toHaveLength(1);
  }, 240_000);

  it.each([
    [
      'closed',
      /^s3:\/\/closed\/.* can't be used for results: access was denied \(.* Add the bucket/,
    ],
    ['missing', /the bucket "missing" does not exist/],
    ['faraway', /is in another region than this deployment, which is in eu-central-1/],
    ['other', /^Results may be stored in s3:\/\/.*; got s3:\/\/other\/.*`resultPlaces`/],
  ])(
    'get a sentence, and nothing is queued, for results in the bucket "%s"',
    async (bucket, sentence) => {
      const waiting = idle.sqs.peek('Fanfold-tasks').length;
      const request = { task: 'echo', inputs: [1], results: { s3: `s3://${bucket}/` } };
      const { returned } = await invoke(clientsOf(idle).lambda, 'Fanfold-seed', request);
      expect(returned).toEqual({
        error: { code: 'BadInput', message: expect.stringMatching(sentence) },
      });
      expect(idle.sqs.peek('Fanfold-tasks')).toHaveLength(waiting);
      expect(await queuesOf(idle)).toEqual([]);
    },
  );

  it('have all permissions that they need', () => {
    expect(refusedBy(idle)).toMatchObject([
      {
        who: 'Fanfold-collector',
        action: 's3:PutObject',
        resource: expect.stringMatching(/^arn:aws:s3:::closed\/.*\/state$/),
        reason: expect.stringContaining('resource-based policy'),
      },
    ]);
  });
});

describe('functions with a short timeout', () => {
  let hasty: Deployment;

  beforeAll(async () => {
    hasty = await deployed({ 'Fanfold-burst': { Timeout: 22 }, 'Fanfold-seed': { Timeout: 30 } });
  });
  afterAll(() => hasty?.[Symbol.asyncDispose]());

  it('continue in further invocations: burst workers while there is work', async () => {
    const { status, stderr } = await fanfoldAt(hasty, 'run', 'nap', '--range', '250');
    expect(status, stderr).toBe(0);
    expect(hasty.functions.invocations('Fanfold-burst')).toBeGreaterThan(3);
  }, 90_000);

  it('continue in further invocations: the seed, which reports an invalid line', async () => {
    await put(hasty, 'long.jsonl', [...numbers(100_000).map(String), 'nonsense']);
    const input = ['--input', 's3://inputs/long.jsonl'];
    const { status, stderr } = await fanfoldAt(hasty, 'run', 'echo', ...input);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining('s3://inputs/long.jsonl, line 100001'),
    });
    expect(hasty.functions.invocations('Fanfold-seed')).toBeGreaterThan(4);
  });

  it('have all permissions that they need', () => {
    expect(refusedBy(hasty)).toEqual([]);
  });
});

// It has waited for this while the other tests ran.
it('a run continues after a worker’s process ended', async () => {
  const { status, stdout, stderr } = await mortal;
  expect(status, stderr).toBe(0);
  expect(results(stdout).map(({ output }) => output)).toEqual(['alive', 'alive', 'alive']);
  expect(existsSync(join(folder, 'died'))).toBe(true);
}, 240_000);

it('a run with results in S3 continues after its collector was killed', async () => {
  const { manifest, lines } = await ended(stack, killed);
  expect(manifest.ledger).toEqual({ inputs: 30, ok: 30, failed: 0, cancelled: 0 });
  expect(lines.map(({ index }) => index)).toEqual(numbers(30));
  // Lambda repeats the killed invocation after a minute, which then has no part in the run.
  const said = () => stack.functions.log('Fanfold-collector').map(String);
  const repeated = expect.stringMatching(new RegExp(`${killed.runId}.*superseded`));
  await expect.poll(said, { timeout: 70_000 }).toContainEqual(repeated);
}, 240_000);

/** Grants that nothing above uses, each with its reason. */
const UNUSED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['seed', 'worker', 'burst', 'collector'].flatMap((name) => [
      ...['GetFunctionConfiguration', 'GetFunctionConcurrency', 'GetFunctionRecursionConfig'].map(
        (action) => [
          `operator: lambda:${action} on function:Fanfold-${name}`,
          '`fanfold doctor` reads it.',
        ],
      ),
      [
        `operator: logs:StartQuery on log-group:/aws/lambda/Fanfold-${name}:*`,
        '`fanfold logs` searches it.',
      ],
    ]),
  ),
  'operator: logs:GetQueryResults on *': '`fanfold logs` reads them.',
  'operator: lambda:GetAccountSettings on *': '`fanfold doctor` reads it.',
  'operator: lambda:ListEventSourceMappings on *': '`fanfold doctor` reads it.',
  'operator: sqs:GetQueueAttributes on Fanfold-results': '`fanfold doctor` reads it.',
  'operator: sqs:GetQueueAttributes on Fanfold-tasks-dead': '`fanfold doctor` reads it.',
  'operator: sqs:GetQueueUrl on Fanfold-lanes.fifo': '`fanfold doctor` reads it.',
  'operator: sqs:GetQueueUrl on Fanfold-tasks-dead': '`fanfold doctor` reads it.',
  ...Object.fromEntries(
    UNUSABLE.flatMap((bucket) =>
      [
        ...['AbortMultipartUpload', 'DeleteObject', 'GetObject'].map(
          (action) => `Fanfold-collector: s3:${action} on ${bucket}/*`,
        ),
        ...['DeleteObject', 'GetObject', 'PutObject'].map(
          (action) => `operator: s3:${action} on ${bucket}/*`,
        ),
        `Fanfold-collector: s3:ListBucket on ${bucket}`,
        `Fanfold-collector: s3:ListBucketMultipartUploads on ${bucket}`,
        `operator: s3:ListBucket on ${bucket}`,
      ].map((grant) => [grant, 'The run that would use it is refused.']),
    ),
  ),
  'Fanfold-collector: s3:PutObject on closed/*': 'The bucket’s own policy refuses it.',
  ...Object.fromEntries(
    ['BUCKET/runs', 'reports/daily'].flatMap((place) => [
      [
        `Fanfold-collector: s3:AbortMultipartUpload on ${place}/*`,
        'It is for an upload that fails.',
      ],
      ...['DeleteObject', 'PutObject'].map((action) => [
        `operator: s3:${action} on ${place}/*`,
        '`fanfold collect` ends a run whose collector function was given up.',
      ]),
    ]),
  ),
  'Fanfold-collector: s3:DeleteObject on reports/daily/*':
    'It is for parts that a killed collector left.',
  'operator: s3:ListBucket on reports':
    'It tells a missing object from one to which access is denied.',
  ...Object.fromEntries(
    ['tasks', 'lanes.fifo', 'tasks-dead'].flatMap((queue) =>
      ['GetQueueAttributes', 'GetQueueUrl'].map((action) => [
        `Fanfold-collector: sqs:${action} on Fanfold-${queue}`,
        'The collector looks at the backlog when no results arrive.',
      ]),
    ),
  ),
  'Fanfold-collector: sqs:ChangeMessageVisibility on Fanfold-run-????????T?????????-*':
    'A collector that hands over makes the results visible that it has not stored.',
  'Fanfold-worker+Fanfold-burst: sqs:GetQueueUrl on Fanfold-run-????????T?????????-*':
    'Workers look for a run’s queue when AWS throttles the reading of its tags.',
  'Fanfold-seed: s3:ListBucket on archive':
    'It is for lists under a prefix, which S3 alone asks for.',
};

/** The template's bucket, which CloudFormation names. */
const OWN_BUCKET = /fanfold-fanfoldbucket\w+-\w+/;

// The tests above have made the calls.
describe('policies', () => {
  it('refused nothing but what a prefix leaves out', () => {
    expect(refusedBy(stack)).toMatchObject([
      {
        who: 'Fanfold-seed',
        action: 's3:GetObject',
        resource: 'arn:aws:s3:::archive/private.jsonl',
      },
      // The missing manifest of a run that goes on: then, the command lists by its key.
      {
        who: 'operator',
        action: 's3:ListBucket',
        resource: expect.stringMatching(OWN_BUCKET),
      },
    ]);
    // The killed collector, and the process that a task ended, of which either may be first.
    const isKilled = (failure: string) => Number(failure.endsWith('signal: killed'));
    const failures = stack.functions.failures.toSorted((a, b) => isKilled(b) - isKilled(a));
    expect(failures).toEqual([
      expect.stringMatching(KILLED),
      expect.stringMatching(/^Fanfold-(worker|burst): Runtime.ExitError: .* exit status 9$/),
    ]);
  });

  it('grant nothing unused, except for the explained grants', () => {
    const named = unused.map((line) =>
      line.replace(/arn:aws:\w+:[\w-]*:\d*:/, '').replace(OWN_BUCKET, 'BUCKET'),
    );
    expect(named.sort()).toEqual(Object.keys(UNUSED).sort());
  });

  it('need each of their grants', () => {
    const unusedHere = new Set(stack.authority.unused());
    const unnoticed = stack.authority.principals.flatMap((principal) =>
      grantsOf(principal.statements).filter((grant) => {
        const line = `${principal.label}: ${grant.join(' on ')}`;
        const left = withoutGrant(principal.statements, grant);
        return !unusedHere.has(line) && stack.authority.refusedBy(principal, left).length === 0;
      }),
    );
    expect(unnoticed).toEqual([]);
  });
});

function hasAws(): boolean {
  const found = (process.env.PATH ?? '').split(':').some((path) => existsSync(join(path, 'aws')));
  if (!found) console.warn('The AWS CLI is not installed, so it is not tested.');
  return found;
}
