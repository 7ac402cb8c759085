import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { results, start } from '../cli/command.ts';
import { type Ended, run, synthesize } from './assembly.ts';
import { clientsOf } from './deployment/clients.ts';
import { type Deployment, deploy } from './deployment/deployment.ts';
import { grantsOf, withoutGrant } from './deployment/policies/index.ts';

// A stack with all that it can have, and runs on it by the command line, whose user has the
// stack's own policy for people and nothing else.
const folder = mkdtempSync(join(tmpdir(), 'fanfold-runs-'));
const KEY = 'arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-4000-8000-000000000000';
let stack: Deployment;
/** Began first, since a dead worker's chunk is back after two minutes only. */
let mortal: Promise<Ended>;

beforeAll(async () => {
  const { status, stderr } = await synthesize(process.cwd(), folder, {
    tasks: resolve('test/stack/deployment/tasks.ts'),
    maxConcurrency: 6,
    encryptionKey: KEY,
    inputBuckets: 'inputs',
  });
  expect(status, stderr).toBe(0);
  stack = await deploy({
    assembly: folder,
    stack: 'Fanfold',
    operatorPolicy: 'Fanfold-operator',
    buckets: ['inputs'],
  });
  const inputs = join(folder, 'mortal.jsonl');
  const lines = [{ file: join(folder, 'died') }, {}, {}].map((input) => JSON.stringify(input));
  await import('node:fs/promises').then(({ writeFile }) => writeFile(inputs, lines.join('\n')));
  mortal = fanfold('run', 'mortal', '--input', inputs);
});
afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A command line of the operator's. */
function fanfold(command: string, ...args: string[]): Promise<Ended> {
  const line = ['node', resolve('bin/fanfold.js'), command, ...args, '--stack', 'Fanfold'];
  return run(line, { env: stack.env });
}

describe('fanfold --stack', () => {
  it('runs the classic ten tasks', async () => {
    const { status, stdout, stderr } = await fanfold('run', 'sleep', '--range', '10');
    expect({ status, stderr }).toEqual({
      status: 0,
      stderr: expect.stringContaining('10 inputs = 10 ok + 0 failed + 0 cancelled'),
    });
    expect(
      results(stdout)
        .map(({ index }) => index)
        .sort(),
    ).toEqual([...Array(10).keys()]);
  });

  it('hashes files', async () => {
    const pattern = 'cdk/*.ts';
    const { status, stdout } = await fanfold('run', 'sha256', '--glob', pattern, '--ordered');
    expect(status).toBe(0);
    const hashed = results(stdout).map(({ output }) => output as { path: string; sha256: string });
    const files = globSync(pattern).sort();
    expect(hashed.map(({ path, sha256 }) => [path, sha256]).sort()).toEqual(
      files.map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]),
    );
  });

  it('tells of inputs that failed, and tries again what may pass', async () => {
    const { status, stdout } = await fanfold('run', 'picky', '--range', '30', '--ordered');
    expect(status).toBe(1);
    expect(results(stdout)).toMatchObject(
      Array.from({ length: 30 }, (_, index) =>
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

  it('runs more than goes into one invocation of the seed', async () => {
    const before = stack.functions.invocations('Fanfold-seed');
    const { status, stderr, stdout } = await fanfold('run', 'echo', '--range', '12000');
    expect(status, stderr).toBe(0);
    expect(
      results(stdout)
        .map(({ index }) => index)
        .sort((a, b) => a - b),
    ).toEqual([...Array(12_000).keys()]);
    expect(stack.functions.invocations('Fanfold-seed') - before).toBeGreaterThan(2);
  });

  it('shows a run, and cancels it', async () => {
    const running = fanfold('run', 'sleep', '--range', '400');
    const runId = await runningId('sleep');
    expect((await fanfold('status', runId)).stdout).toContain('sleep');
    expect(await fanfold('cancel', runId)).toMatchObject({ status: 0 });
    const { status, stderr } = await running;
    expect(status, stderr).toBe(1);
    expect(stderr).toMatch(/400 inputs = \d+ ok \+ 0 failed \+ [1-9]\d* cancelled/);
  });

  it('collects a run that its command has left', async () => {
    const line = ['run', 'sleep', '--range', '20', '--stack', 'Fanfold'];
    const output = join(folder, 'left.jsonl');
    const left = start([...line, '--output', output], { env: stack.env });
    const runId = await runningId('sleep');
    left.child.kill('SIGKILL');
    await left.ended;
    const { status, stdout, stderr } = await fanfold('collect', runId);
    expect(status, stderr).toBe(0);
    expect(results(stdout).length).toBeGreaterThan(0);
  });

  it('runs over an object in S3', async () => {
    const { s3 } = clientsOf(stack, stack.owner);
    const Body = Array.from({ length: 100 }, (_, n) => `{"n":${n}}`).join('\n');
    await s3.send(new PutObjectCommand({ Bucket: 'inputs', Key: 'some/inputs.jsonl', Body }));
    const from = (key: string) => fanfold('run', 'echo', '--input', `s3://inputs/${key}`);
    const { status, stdout, stderr } = await from('some/inputs.jsonl');
    expect(status, stderr).toBe(0);
    expect(results(stdout)).toHaveLength(100);
    const missing = await from('none.jsonl');
    expect(missing).toMatchObject({ status: 2, stderr: expect.stringContaining('none.jsonl') });
  });

  it('runs on where a worker’s process ended', async () => {
    const { status, stdout, stderr } = await mortal;
    expect(status, stderr).toBe(0);
    expect(results(stdout).map(({ output }) => output)).toEqual(['alive', 'alive', 'alive']);
    expect(existsSync(join(folder, 'died'))).toBe(true);
  }, 240_000);

  async function runningId(task: string): Promise<string> {
    let runId: string | undefined;
    await expect
      .poll(
        async () => {
          const { stdout } = await fanfold('runs');
          runId = stdout
            .split('\n')
            .find((line) => line.includes(task))
            ?.match(/\d{8}T\d+-\w+/)?.[0];
          return runId;
        },
        { timeout: 20_000 },
      )
      .toBeDefined();
    return runId ?? '';
  }
});

describe.skipIf(!hasAws())('the AWS CLI', () => {
  const aws = (...args: string[]) => run(['aws', ...args], { env: stack.env });

  it('seeds a run by `lambda invoke`, and receives its results', async () => {
    const file = join(folder, 'seeded.json');
    const payload = '{"task":"echo","inputs":["by","hand"]}';
    const invoked = await aws(
      ...['lambda', 'invoke', '--function-name', 'Fanfold-seed'],
      ...['--payload', Buffer.from(payload).toString('base64'), file],
    );
    expect(invoked.status, invoked.stderr).toBe(0);
    const { resultQueueUrl, runId } = JSON.parse(readFileSync(file, 'utf8'));
    const outputs: unknown[] = [];
    while (outputs.length < 2) {
      const queue = ['--queue-url', resultQueueUrl];
      const received = await aws('sqs', 'receive-message', ...queue, '--wait-time-seconds', '10');
      expect(received.status, received.stderr).toBe(0);
      for (const { Body, ReceiptHandle } of JSON.parse(received.stdout || '{}').Messages ?? []) {
        const message = JSON.parse(Body);
        if (message.runId === runId)
          outputs.push(...message.results.map((one: { output: unknown }) => one.output));
        const gone = await aws(
          'sqs',
          'delete-message',
          ...queue,
          '--receipt-handle',
          ReceiptHandle,
        );
        expect(gone.status, gone.stderr).toBe(0);
      }
    }
    expect(outputs.sort()).toEqual(['by', 'hand']);
  });
});

/** Grants that nothing above used, each with its reason. */
const UNUSED: Readonly<Record<string, string>> = {};

// The tests above have made the calls.
describe('policies', () => {
  it('refused nothing', () => {
    expect(stack.authority.denials).toEqual([]);
  });

  it('grant nothing that is not used, but for what is explained', () => {
    expect(stack.authority.unused().map(short)).toEqual(Object.keys(UNUSED).sort());
  });

  it('would be missed in any part: each grant in turn', () => {
    const unused = new Set(stack.authority.unused());
    const unnoticed = stack.authority.principals.flatMap((principal) =>
      grantsOf(principal.statements).filter((grant) => {
        const line = `${principal.label}: ${grant.join(' on ')}`;
        const left = withoutGrant(principal.statements, grant);
        return !unused.has(line) && stack.authority.refusedBy(principal, left).length === 0;
      }),
    );
    expect(unnoticed).toEqual([]);
  });
});

function short(grant: string): string {
  return grant.replace(/arn:aws:\w+:[\w-]*:\d*:/, '');
}

function hasAws(): boolean {
  const found = (process.env.PATH ?? '').split(':').some((path) => existsSync(join(path, 'aws')));
  if (!found) console.warn('The AWS CLI is not installed: what it does is not tested.');
  return found;
}
