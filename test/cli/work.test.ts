import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it } from 'vitest';
import { type Command, results } from './command.ts';
import { aUser, begin, fanfold, printed, type Server, serve, work } from './serving.ts';

const TASKS = join(import.meta.dirname, '../fixtures/served-tasks.ts');
const { folder } = aUser();
let number = 0;
const newFile = () => join(folder, `file-${++number}`);
const begun = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8').trim() : '');

/** The server's key pair in its user's environment. */
function keysOf({ port }: Server) {
  const left = new URL(readFileSync(join(folder, `config/fanfold/join-${port}`), 'utf8'));
  return { accessKeyId: left.username, secretAccessKey: left.password };
}

async function left(server: Server): Promise<number> {
  const place = { endpoint: server.url, region: 'us-east-1', credentials: keysOf(server) };
  const sqs = new SQSClient(place);
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: `${server.url}/000000000000/fanfold-tasks`,
      AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
    }),
  );
  sqs.destroy();
  return Object.values(Attributes).reduce((sum, text) => sum + Number(text), 0);
}

async function endsWithin(command: Command, ms: number): Promise<number | null> {
  const startedAt = performance.now();
  const { status } = await command.ended;
  expect(performance.now() - startedAt).toBeLessThan(ms);
  return status;
}

/** One input for a task, as a run's input file. */
function inputFile(input: object): string {
  const file = `${newFile()}.jsonl`;
  writeFileSync(file, `${JSON.stringify(input)}\n`);
  return file;
}

describe('fanfold work', () => {
  it.each([
    ['long', 6_000, 'finishes or gives up what takes long'],
    ['blocks-at-first', 0, 'is killed where it is blocked'],
  ])(
    'sends %s back within 5 s when it is stopped, and another worker finishes it',
    {
      timeout: 60_000,
    },
    async (task, ms) => {
      const server = await serve(['--tasks', TASKS]);
      const at = ['--endpoint', server.url, '--tasks', TASKS, '--workers', '1'];
      const first = await work(at);
      const file = newFile();
      const input = inputFile({ file, ms });
      const run = begin(['run', task, '--input', input, '--endpoint', server.url]);
      await expect.poll(() => begun(file), { timeout: 60_000 }).toBe('0 1');
      first.child.kill('SIGTERM');
      expect(await endsWithin(first, 5_500)).toBe(0);
      await work(at);
      const { status, stdout } = await run.ended;
      expect(results(stdout)).toMatchObject([{ index: 0, status: 'ok' }]);
      expect(status).toBe(0);
      // The stop did not cost the input an attempt.
      expect(begun(file)).toBe('0 1\n0 1');
    },
  );

  it('--until-empty ends once no chunk is left', async () => {
    const server = await serve(['--tasks', TASKS]);
    const run = begin(['run', 'brief', '--range', '100', '--endpoint', server.url]);
    await expect.poll(() => left(server), { timeout: 60_000 }).toBeGreaterThan(0);
    const args = ['work', '--endpoint', server.url, '--tasks', TASKS, '--workers', '2'];
    const worker = await fanfold([...args, '--until-empty']);
    expect(worker.stderr).toContain('100 inputs done here (100 ok, 0 failed), in 100 attempts');
    expect(worker.status).toBe(0);
    expect((await run.ended).status).toBe(0);
  });

  it('--until-empty ends with the status of the signal if it is stopped before', async () => {
    const server = await serve(['--tasks', TASKS]);
    const file = newFile();
    begin(['run', 'long', '--input', inputFile({ file, ms: 9_000 }), '--endpoint', server.url]);
    // It would end at once if nothing were queued yet.
    await expect.poll(() => left(server), { timeout: 60_000 }).toBe(1);
    const args = ['--endpoint', server.url, '--tasks', TASKS, '--workers', '1', '--until-empty'];
    const worker = await work(args);
    await expect.poll(() => begun(file), { timeout: 60_000 }).toBe('0 1');
    worker.child.kill('SIGTERM');
    expect(await endsWithin(worker, 5_500)).toBe(143);
  });

  it('is suggested by a run without workers', { timeout: 60_000 }, async () => {
    const server = await serve(['--tasks', TASKS]);
    const run = begin(['run', 'double', '--range', '5', '--endpoint', server.url]);
    await printed(
      run,
      /(no results are arriving: \d+ chunks? waiting, and no worker receives them)/,
    );
    const [, line = ''] = /start a worker with `(?:npx )?fanfold ([^`]+)`/.exec(run.said()) ?? [];
    await work([...line.split(' ').slice(1), '--tasks', TASKS]);
    expect((await run.ended).status).toBe(0);
  });
});

const CLI = '/usr/bin/aws';
if (!existsSync(CLI) && process.env.CI) throw new Error(`${CLI} is not installed.`);

describe.skipIf(!existsSync(CLI))('Debian’s AWS CLI', () => {
  it('seeds a run and reads its results, with the file of the key pair', async () => {
    const server = await serve(['--tasks', TASKS, '--workers', '1', '--region', 'eu-west-1']);
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: '/nonexistent',
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'config/fanfold/credentials'),
      AWS_DEFAULT_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL: server.url,
    };
    const aws = async (...args: string[]) =>
      // 2.9 is older than the variable: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
      promisify(execFile)(CLI, ['--endpoint-url', server.url, ...args], { env });
    const payload = '{"task":"brief","inputs":[1,2,3]}';
    const out = newFile();
    const format = ['--cli-binary-format', 'raw-in-base64-out'];
    const invoke = ['lambda', 'invoke', '--function-name', 'fanfold-seed', ...format];
    await aws(...invoke, '--payload', payload, out);
    const seeded = JSON.parse(readFileSync(out, 'utf8'));
    expect(seeded).toMatchObject({ task: 'brief', count: 3 });
    expect(seeded.resultQueueUrl).toBe(`${server.url}/000000000000/fanfold-results`);
    const found = new Map<number, unknown>();
    const receive = ['sqs', 'receive-message', '--queue-url', seeded.resultQueueUrl];
    while (found.size < 3) {
      const { stdout } = await aws(...receive, '--wait-time-seconds', '5');
      for (const { Body } of JSON.parse(stdout || '{}').Messages ?? []) {
        for (const { index, output } of JSON.parse(Body).results) found.set(index, output);
      }
    }
    expect([...found].sort()).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    const wrong = { ...env, AWS_SHARED_CREDENTIALS_FILE: join(folder, 'wrong') };
    writeFileSync(
      wrong.AWS_SHARED_CREDENTIALS_FILE,
      '[default]\naws_access_key_id = X\naws_secret_access_key = Y\n',
    );
    const call = ['--endpoint-url', server.url, ...invoke, '--payload', payload, out];
    await expect(promisify(execFile)(CLI, call, { env: wrong })).rejects.toThrow(
      /UnrecognizedClientException/,
    );
  });
});
