import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isRunning } from '../../cli/command.ts';
import { PROGRAMS } from '../assembly.ts';
import { clientsOf, invoke } from './clients.ts';
import { deployHandmade as deployed } from './handmade.ts';

const failure = async (lambda: LambdaClient, event: unknown) =>
  (await invoke(lambda, 'own', event)).failed;

describe.concurrent('a function', () => {
  it('has the environment that its template gives, and Lambda’s', async () => {
    await using stack = await deployed({
      code: 'export const handler = async () => process.env',
      properties: {
        MemorySize: 256,
        Environment: { Variables: { OWN: { Ref: 'AWS::Region' } } },
        LoggingConfig: { LogGroup: '/own', LogFormat: 'JSON' },
      },
    });
    const { returned } = await invoke(clientsOf(stack).lambda, 'own');
    expect(returned).toEqual({
      OWN: 'eu-central-1',
      _HANDLER: 'index.handler',
      AWS_ACCESS_KEY_ID: expect.stringMatching(/^ASIA/),
      AWS_SECRET_ACCESS_KEY: expect.any(String),
      AWS_SESSION_TOKEN: expect.any(String),
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_ENDPOINT_URL: stack.place.endpoint,
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_FUNCTION_NAME: 'own',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
      AWS_LAMBDA_LOG_FORMAT: 'JSON',
      AWS_LAMBDA_LOG_GROUP_NAME: '/own',
      AWS_LAMBDA_LOG_STREAM_NAME: expect.stringContaining('[$LATEST]'),
      AWS_REGION: 'eu-central-1',
      LAMBDA_RUNTIME_DIR: '/var/runtime',
      LAMBDA_TASK_ROOT: expect.stringMatching(/asset\.own$/),
      LANG: 'en_US.UTF-8',
      NODE_EXTRA_CA_CERTS: expect.any(String),
      PATH: '/usr/local/bin:/usr/bin:/bin',
      TZ: ':UTC',
    });
  });

  it('fails where its handler is not exported, or not there', async () => {
    const code = 'export const handler = async () => 1';
    await using wrongName = await deployed({ code, properties: { Handler: 'index.burst' } });
    expect(await failure(clientsOf(wrongName).lambda, {})).toMatchObject({
      errorType: 'Runtime.HandlerNotFound',
      errorMessage: 'index.burst is undefined or not exported',
    });
    await using wrongFile = await deployed({ code, properties: { Handler: 'main.handler' } });
    expect(await failure(clientsOf(wrongFile).lambda, {})).toMatchObject({
      errorType: 'Runtime.ImportModuleError',
    });
  });

  it('tells what it threw', async () => {
    await using stack = await deployed({
      code: "export const handler = async () => { throw new RangeError('too far') }",
    });
    expect(await failure(clientsOf(stack).lambda, {})).toMatchObject({
      errorType: 'RangeError',
      errorMessage: 'too far',
      trace: expect.arrayContaining([expect.stringContaining('index.mjs')]),
    });
  });

  it('is killed when its time is over, even if it blocks', async () => {
    await using stack = await deployed({
      code: 'export const handler = async (event) => { if (event.blocks) for (;;); return process.pid }',
      properties: { Timeout: 3 },
    });
    const { lambda } = clientsOf(stack);
    const { returned: pid } = await invoke(lambda, 'own');
    expect(await failure(lambda, { blocks: true })).toMatchObject({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/Task timed out after 3\.00 seconds$/),
    });
    await vi.waitFor(() => expect(isRunning(Number(pid))).toBe(false));
    const { returned: other } = await invoke(lambda, 'own');
    expect(other).not.toBe(pid);
  });

  it('is killed when it takes more memory than it has, on the heap or beside it', async () => {
    await using stack = await deployed({
      code: `const all = [];
        export const handler = async (event) => {
          for (;;) {
            all.push(event.heap ? Array(1e6).fill(event) : Buffer.alloc(1e7, 1));
            await new Promise((resolve) => setTimeout(resolve, 5));
          }
        }`,
      properties: { MemorySize: 128, Timeout: 20 },
    });
    const { lambda } = clientsOf(stack);
    // Memory outside the heap is only known on some systems.
    const others = process.platform === 'linux' ? [{ heap: false }] : [];
    for (const event of [{ heap: true }, ...others]) {
      expect(await failure(lambda, event)).toMatchObject({
        errorType: 'Runtime.ExitError',
        errorMessage: expect.stringMatching(/Error: Runtime exited with error: (signal|exit)/),
      });
    }
  });

  it('gets a new process after it has ended its own', async () => {
    await using stack = await deployed({
      code: 'export const handler = async (event) => { if (event.exits) process.exit(3); return 1 }',
    });
    const { lambda } = clientsOf(stack);
    expect(await failure(lambda, { exits: true })).toMatchObject({
      errorType: 'Runtime.ExitError',
      errorMessage: expect.stringMatching(/Runtime exited with error: exit status 3$/),
    });
    expect(await invoke(lambda, 'own')).toEqual({ returned: 1 });
  });

  it('stands still between invocations', async () => {
    await using stack = await deployed({
      code: 'let ticks = 0; setInterval(() => ticks++, 10); export const handler = async () => ticks',
    });
    const { lambda } = clientsOf(stack);
    await invoke(lambda, 'own');
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { returned } = await invoke(lambda, 'own');
    // Had it run meanwhile, it would have counted 50.
    expect(returned).toBeLessThan(40);
  });

  it('is throttled at its reserved concurrency', async () => {
    await using stack = await deployed({
      code: 'export const handler = () => new Promise((resolve) => setTimeout(resolve, 1000))',
      properties: { ReservedConcurrentExecutions: 1 },
    });
    const { lambda } = clientsOf(stack);
    const ended = await Promise.allSettled([invoke(lambda, 'own'), invoke(lambda, 'own')]);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('logs only where its role may', async () => {
    const allowed = {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: { 'Fn::GetAtt': ['Logs', 'Arn'] },
    };
    const code = "export const handler = async () => console.log('printed')";
    const resources = {
      Logs: { Type: 'AWS::Logs::LogGroup', Properties: { LogGroupName: '/own' } },
    };
    const properties = { LoggingConfig: { LogGroup: { Ref: 'Logs' } } };
    await using may = await deployed({ code, resources, properties, statements: [allowed] });
    await invoke(clientsOf(may).lambda, 'own');
    await vi.waitFor(() => expect(may.functions.log('own')).toEqual(['printed']));
    expect(may.authority.denials).toEqual([]);
    await using mayNot = await deployed({ code, resources, properties });
    await invoke(clientsOf(mayNot).lambda, 'own');
    expect(mayNot.authority.denials.map(({ action }) => action)).toEqual([
      'logs:CreateLogStream',
      'logs:PutLogEvents',
    ]);
    expect(mayNot.functions.log('own')).toEqual([]);
  });
});

it('an environment ends with the process that started it, also if that is killed while it is frozen', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-orphan-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const marker = join(folder, 'ended');
  writeFileSync(
    join(folder, 'index.mjs'),
    `import { writeFileSync } from 'node:fs';
    process.on('exit', () => writeFileSync(${JSON.stringify(marker)}, ''));
    export const handler = async () => 1;`,
  );
  const options = { env: { LAMBDA_TASK_ROOT: folder, _HANDLER: 'index.handler' }, memoryMb: 128 };
  const program = `import { Environment } from './test/stack/deployment/environment.ts';
    const told = { onLine() {}, onBilled() {} };
    const environment = new Environment({ ...${JSON.stringify(options)}, ...told });
    const context = { awsRequestId: 'one', getRemainingTimeInMillis: () => 60_000 };
    console.log(await environment.invoke({}, context));
    setInterval(() => {}, 1_000);`;
  const starter = spawn(join(PROGRAMS, 'node'), ['--input-type=module', '--eval', program]);
  await once(starter.stdout, 'data');
  expect(existsSync(marker)).toBe(false);
  starter.kill('SIGKILL');
  await vi.waitFor(() => expect(existsSync(marker)).toBe(true), { timeout: 10_000 });
});
