import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as shipped from '../../functions/tasks/index.ts';
import { type DiagnoseOptions, type Diagnosis, diagnose, VERSION } from '../../src/index.ts';
import { factsOf } from '../../src/task.ts';
import { TASKS } from '../cli/command.ts';
import { eventSourceOf, refused, type StubOptions, seedWith, stubAws } from './stub-aws.ts';

const SHIPPED = new URL('../../functions/tasks/index.ts', import.meta.url).href;

afterEach(() => vi.unstubAllEnvs());

/** Runs doctor for a stack "Photos" on an AWS with these responses. */
async function look(
  options: DiagnoseOptions = {},
  stub: Partial<StubOptions> = {},
  env: Record<string, string | undefined> = {},
): Promise<Diagnosis> {
  const aws = await stubAws({ tasks: shipped, ...stub });
  const none = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' };
  const all = { ...aws.env, ...none, AWS_EC2_METADATA_DISABLED: 'true', ...env };
  for (const [name, value] of Object.entries(all)) vi.stubEnv(name, value);
  try {
    return await diagnose({ stack: 'Photos', ...options });
  } finally {
    await aws.close();
  }
}

/** The findings of one check, as short texts. */
function of({ findings }: Diagnosis, title: string): string {
  return findings
    .filter((finding) => finding.title === title)
    .map(({ level, says, remedy = '' }) => `${level}: ${says} ${remedy}`.trim())
    .join('\n');
}

it('a healthy stack with the local tasks has no problems and no warnings', async () => {
  const found = await look({ tasks: SHIPPED });
  expect(found.findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(found).toMatchObject({ state: 'deployed', region: 'us-east-1', account: '123456789012' });
  expect(of(found, 'credentials')).toContain('arn:aws:iam::123456789012:user/me');
  expect(of(found, 'version')).toContain(`Fanfold ${VERSION} is deployed, the same version`);
  expect(of(found, 'tasks')).toContain('echo, sha256, sleep');
  expect(of(found, 'results in S3')).toBe('ok: Photos-collector writes results to S3.');
  expect(of(found, 'bucket')).toBe('ok: The bucket photos exists.');
  expect(found.findings).toHaveLength(20);
});

it.each<[string, Partial<StubOptions>]>([
  ['does not exist', { without: ['Photos-ended'] }],
  ['denies access', { answers: { 'SQS GetQueueUrl Photos-ended': refused('AccessDenied') } }],
])('a list of ended runs that %s is no problem', async (_, stub) => {
  const found = await look({}, stub);
  expect(of(found, 'parts')).toMatch(/^ok: .* except Photos-ended, .*deploy this version/);
});

it.each<[string, Record<string, string>, string]>([
  ['of an older version', {}, ''],
  ['without results in S3', { FANFOLD_BUCKET: 'photos' }, 'ok: The bucket photos exists.'],
])('a stack %s is not asked for a collector', async (_, variables, bucket) => {
  const missing = refused('ResourceNotFoundException', 404);
  const answers = {
    'GetFunctionConfiguration Photos-seed': seedWith(variables),
    'GetFunctionConfiguration Photos-collector': missing,
  };
  const found = await look({ tasks: SHIPPED }, { answers });
  expect(found.findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  expect(of(found, 'results in S3')).toBe('');
  expect(of(found, 'bucket')).toBe(bucket);
  expect(of(found, 'functions')).toBe(
    'ok: Photos-seed, Photos-worker, Photos-burst can be invoked.',
  );
});

const room = (free: number) => ({
  GetAccountSettings: {
    AccountLimit: { UnreservedConcurrentExecutions: free, TotalCodeSize: 100 },
    AccountUsage: { TotalCodeSize: 99 },
  },
});

describe('before a deployment', () => {
  const deployed = false;

  it('free names and enough concurrency are reported as ok', async () => {
    const found = await look({}, { deployed });
    expect(found.state).toBe('before');
    expect(of(found, 'names')).toMatch(/^ok: No queue or function uses a name/);
    expect(of(found, 'concurrency')).toMatch(/^ok: .*enough for 100 workers/);
    expect(of(found, 'recursion')).toMatch(/^ok: /);
  });

  it.each([
    [10, 100, /^problem: .* has 10 .*100 workers need more.*-c maxConcurrency=9\.$/],
    [100, 100, /^warning: .*would leave none for other functions.*-c maxConcurrency=99\.$/],
    [101, 100, /^ok/],
    [50, 40, /^ok: .*enough for 40 workers/],
  ])('an account with %i unreserved executions and %i workers', async (free, workers, finding) => {
    const answers = room(free);
    const found = await look({ maxConcurrency: workers }, { deployed, answers });
    expect(of(found, 'concurrency')).toMatch(finding);
    expect(of(found, 'code storage')).toMatch(/^problem: /);
  });

  it('a region without RecursiveLoop is reported', async () => {
    const found = await look({}, { deployed }, { AWS_REGION: 'us-gov-west-1' });
    expect(of(found, 'recursion')).toMatch(/^ok: Lambda in us-gov-west-1 has no RecursiveLoop/);
  });

  it('names that cannot be looked up are not reported as free', async () => {
    const answers = { GetFunctionConfiguration: refused('AccessDeniedException') };
    const found = await look({}, { deployed, answers });
    expect(of(found, 'names')).toMatch(/^unknown: .*it needs lambda:GetFunctionConfiguration/);
  });

  it('names that other software uses are a problem', async () => {
    const found = await look({}, { deployed, answers: { 'SQS GetQueueUrl': { QueueUrl: 'x/y' } } });
    expect(of(found, 'parts')).toMatch(/^problem: The deployment lacks Photos-seed, Photos-worker/);
  });

  it('without a stack, only the account is checked', async () => {
    const found = await look({ stack: undefined }, { deployed });
    expect(of(found, 'names')).toBe('');
    expect(of(found, 'concurrency')).toMatch(/^ok/);
  });
});

describe('a stack has', () => {
  const worker = { FunctionName: 'Photos-worker', Timeout: 900 };
  const mapped = (more: object, queue = 'Photos-tasks') => ({
    ListEventSourceMappings: { EventSourceMappings: [{ ...eventSourceOf(queue), ...more }] },
  });
  const cases: [what: string, stub: Partial<StubOptions>, title: string, finding: RegExp][] = [
    [
      'no collector',
      {
        answers: {
          'GetFunctionConfiguration Photos-collector': refused('ResourceNotFoundException', 404),
        },
      },
      'results in S3',
      /^problem: The deployment lacks Photos-collector, .*-c s3Results=false/,
    ],
    [
      'a collector that is never run',
      {
        answers: { 'GetFunctionConcurrency Photos-collector': { ReservedConcurrentExecutions: 0 } },
      },
      'reservations',
      /^problem: Photos-collector has a reserved concurrency of 0/,
    ],
    [
      'no bucket',
      { answers: { 'S3 ListObjectsV2 photos': refused('NoSuchBucket', 404) } },
      'bucket',
      /^problem: The bucket photos does not exist: .*-c bucket=NAME/,
    ],
    [
      'a bucket that may not be listed',
      { answers: { 'S3 ListObjectsV2 photos': refused('AccessDenied') } },
      'bucket',
      /^unknown: AWS denies this check: it needs s3:ListBucket/,
    ],
    [
      'no worker',
      {
        answers: {
          'GetFunctionConfiguration Photos-worker': refused('ResourceNotFoundException', 404),
        },
      },
      'parts',
      /^problem: The deployment lacks Photos-worker\. .*cdk deploy/,
    ],
    [
      'a function without its role',
      {
        answers: {
          'GetFunctionConfiguration Photos-worker': {
            ...worker,
            State: 'Failed',
            StateReason: 'The role is gone.',
          },
        },
      },
      'functions',
      /^problem: Photos-worker cannot run: The role is gone/,
    ],
    [
      'an update under way',
      {
        answers: {
          'GetFunctionConfiguration Photos-worker': { ...worker, LastUpdateStatus: 'InProgress' },
        },
      },
      'functions',
      /^warning: Photos-worker is being deployed/,
    ],
    [
      'no event source',
      { answers: { ListEventSourceMappings: { EventSourceMappings: [] } } },
      'event source',
      /^problem: No event source delivers chunks/,
    ],
    [
      'an event source that is disabled',
      { answers: mapped({ State: 'Disabled' }) },
      'event source',
      /^problem: .* disabled.*--enabled --uuid uuid-of-Photos-tasks/,
    ],
    [
      'an event source that fails',
      { answers: mapped({ LastProcessingResult: 'PROBLEM: KMS key is disabled' }) },
      'event source',
      /^warning: The event source for Photos-tasks reports: PROBLEM: KMS key is disabled/,
    ],
    [
      'does not accept partial batch responses',
      { answers: mapped({ FunctionResponseTypes: [] }) },
      'event source',
      /^problem: .*does not accept partial batch responses/,
    ],
    [
      'an event source without a limit',
      { answers: mapped({ ScalingConfig: {} }) },
      'event source',
      /^warning: .*no maximum concurrency/,
    ],
    [
      'a queue that shows a chunk again too soon',
      { attributes: { VisibilityTimeout: '30' } },
      'visibility',
      /^problem: SQS hides a received chunk for 30 s, and a worker may run for 900 s\./,
    ],
    [
      'no queue of lanes, as older ones',
      { without: ['Photos-lanes.fifo'] },
      'lanes',
      /^warning: The deployment has no queue Photos-lanes\.fifo.*version is older.*deploy again/,
    ],
    [
      'no event source of lanes',
      { answers: mapped({}) },
      'lanes',
      /^problem: No event source delivers chunks from Photos-lanes\.fifo/,
    ],
    [
      'an event source of lanes that is disabled',
      { answers: mapped({ State: 'Disabled' }, 'Photos-lanes.fifo') },
      'lanes',
      /^problem: .* for Photos-lanes\.fifo is disabled.*--uuid uuid-of-Photos-lanes\.fifo/,
    ],
    [
      'lanes that show a chunk again too soon',
      { lanes: { VisibilityTimeout: '30' } },
      'lanes',
      /^problem: SQS hides a received chunk for 30 s/,
    ],
    [
      'too little concurrency',
      { answers: room(60) },
      'concurrency',
      /^problem: .* has 60 .*100 workers/,
    ],
    [
      'concurrency of its own',
      {
        answers: {
          ...room(60),
          'GetFunctionConcurrency Photos-burst': { ReservedConcurrentExecutions: 50 },
        },
      },
      'concurrency',
      /^ok: .*enough for 50 workers/,
    ],
    [
      'a function that is stopped',
      { answers: { 'GetFunctionConcurrency Photos-worker': { ReservedConcurrentExecutions: 0 } } },
      'reservations',
      /^problem: Photos-worker .* of 0.*delete-function-concurrency --function-name Photos-worker/,
    ],
    [
      'a worker whose loops are stopped',
      { answers: { 'GetFunctionRecursionConfig Photos-burst': { RecursiveLoop: 'Terminate' } } },
      'recursion',
      /^problem: AWS stops recursive loops of Photos-burst.*put-function-recursion-config/,
    ],
    [
      'a seed that fails',
      { answers: { Invoke: refused('ServiceException', 500) } },
      'version',
      /^unknown: The check failed: ServiceException/,
    ],
    [
      'another version',
      { answers: { Invoke: { fanfold: '0.0.9', tasks: [], workers: 100, burst: 50 } } },
      'version',
      /^warning: Fanfold 0\.0\.9 is deployed, but this machine has/,
    ],
    [
      'a version that describes nothing',
      { answers: { Invoke: { error: { code: 'BadInput', message: 'no field "describe"' } } } },
      'version',
      /^warning: .*does not report its version.*deploy again/,
    ],
    [
      'something before it that answers pages',
      { answers: { GetAccountSettings: { page: '<!doctype html>' } } },
      'concurrency',
      /^unknown: The response is not JSON/,
    ],
    [
      'another key',
      { answers: { 'SQS GetQueueAttributes': refused('KMS.DisabledException', 400) } },
      'dead letters',
      /^problem: The queues' KMS key cannot be used/,
    ],
  ];

  it.each(cases)('%s', async (_, stub, title, finding) => {
    expect(of(await look({}, stub), title)).toMatch(finding);
  });

  it('tasks of an older version, which knows fewer options', async () => {
    const older = Object.values(shipped).map((task) => {
      const { idempotent: _, runConcurrency: __, ...facts } = factsOf(task);
      return facts;
    });
    const answers = { Invoke: { fanfold: '0.0.9', tasks: older, workers: 100, burst: 50 } };
    const found = await look({ tasks: SHIPPED }, { answers });
    expect(of(found, 'tasks')).toMatch(/^ok: The deployed tasks match/);
  });

  it('messages that no worker could read, and chunks without a worker', async () => {
    const aws = await stubAws({ tasks: shipped });
    for (const [name, value] of Object.entries(aws.env)) vi.stubEnv(name, value);
    for (const queue of ['Photos-tasks-dead', 'Photos-tasks']) {
      const QueueUrl = `http://localhost/000000000000/${queue}`;
      await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
    }
    const found = await diagnose({ stack: 'Photos' });
    await aws.close();
    expect(of(found, 'dead letters')).toMatch(
      /^warning: .*dead-letter queue: about 1\. .*redrive --stack Photos/,
    );
    expect(of(found, 'task queue')).toMatch(
      /^warning: Chunks waiting: about 1; in progress: about 0/,
    );
  });

  it('tasks other than the local ones', async () => {
    const { echo, sha256 } = shipped;
    const sleep = { ...shipped.sleep, timeoutSeconds: 7 };
    const found = await look({ tasks: SHIPPED }, { tasks: { echo, sleep } });
    expect(sha256.name).toBe('sha256');
    expect(of(found, 'tasks')).toMatch(
      /^warning: sha256 is in the local tasks module, but not deployed\./,
    );
    expect(of(found, 'tasks')).toMatch(
      /warning: sleep is deployed with timeoutSeconds 7; locally it is \d+/,
    );
    const bounded = { ...shipped.sleep, runConcurrency: 5 };
    const limited = await look({ tasks: SHIPPED }, { tasks: { echo, sha256, sleep: bounded } });
    expect(of(limited, 'tasks')).toMatch(
      /^warning: sleep is deployed with runConcurrency 5; locally it is not set\. .*MODULE\.$/,
    );
    const others = await look({ tasks: TASKS });
    expect(of(others, 'tasks')).toContain('sha256 is deployed, but not in the local tasks module.');
    const broken = await look({ tasks: '/nowhere/tasks.ts' });
    expect(of(broken, 'tasks module')).toMatch(/^problem: .*does not exist/);
    expect(of(broken, 'tasks')).toMatch(/^unknown: Deployed tasks: echo, sha256, sleep/);
  });
});

it('denied checks are unknown, each with the action that it needs', async () => {
  const actions = [
    'GetAccountSettings',
    'ListEventSourceMappings',
    'GetFunctionConfiguration',
    'GetFunctionConcurrency',
    'GetFunctionRecursionConfig',
    'Invoke',
    'SQS',
  ];
  for (const every of actions) {
    const denied = refused(every === 'SQS' ? 'AccessDenied' : 'AccessDeniedException');
    const found = await look({}, { answers: { [every]: denied } });
    const unknowns = found.findings.filter(({ level }) => level === 'unknown');
    const texts = unknowns.map(({ says }) => says).join('\n');
    const needed = { SQS: 'sqs:GetQueueUrl', Invoke: 'lambda:InvokeFunction' }[every];
    expect(texts).toContain(`it needs ${needed ?? `lambda:${every}`}`);
    expect(found.findings.filter(({ level }) => level === 'problem')).toEqual([]);
  }
});

describe('without AWS', () => {
  const nothing = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

  it.each([
    ['credentials', nothing, /There are no AWS credentials/],
    ['region', { AWS_REGION: undefined, AWS_DEFAULT_REGION: undefined }, /No AWS region/],
    ['credentials', { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, /ECONNREFUSED/],
  ])(
    'missing %s are a problem for a stack, and otherwise a warning (%j)',
    async (title, env, says) => {
      const found = await look({}, {}, env);
      expect(of(found, title)).toMatch(/^problem: /);
      expect(of(found, title)).toMatch(says);
      expect(found.state).toBe('none');
      const local = await look({ stack: undefined }, {}, env);
      expect(of(local, title)).toMatch(/^warning: /);
      expect(of(local, 'node')).toMatch(/^ok: Node /);
    },
  );

  it.each([
    [200, '<html>Log in</html>', /problem: The response .* not from AWS/],
    [502, '<html>Bad gateway</html>', /problem: The response is not from AWS \(HTTP status 502\)/],
    [403, '', /problem: The response is not from AWS \(HTTP status 403\)/],
  ])(
    'a response that is not from AWS, with status %i, is a problem',
    async (status, page, says) => {
      const proxy = createServer((_, response) => response.writeHead(status).end(page));
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const AWS_ENDPOINT_URL = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
      const found = await look({}, {}, { AWS_ENDPOINT_URL });
      proxy.close();
      expect(of(found, 'credentials')).toMatch(says);
      expect(of(found, 'credentials')).toContain('AWS_ENDPOINT_URL');
    },
  );

  it('credentials that AWS refuses are a problem', async () => {
    const answers = { GetCallerIdentity: refused('InvalidClientTokenId') };
    const found = await look({}, { answers });
    expect(of(found, 'credentials')).toMatch(/^problem: AWS refuses the credentials/);
  });
});

it('options out of their range are refused', async () => {
  await expect(diagnose({ maxConcurrency: 1 })).rejects.toMatchObject({ code: 'BadOption' });
  await expect(diagnose({ stack: 'a b' })).rejects.toMatchObject({ code: 'BadOption' });
});
