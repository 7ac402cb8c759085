import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { results } from './command.ts';
import { inThisProcess } from './in-this-process.ts';
import { aUser, begin, printed, type Server, serve } from './serving.ts';

// `--stack` finds its queues and functions by name, with the SDK's own settings: here they
// replace AWS by a server on this machine, whose deployment is called `fanfold`.

const TASKS = join(import.meta.dirname, '../fixtures/tasks.ts');
const { folder } = aUser();

function onAws({ url, port }: Server) {
  const left = new URL(readFileSync(join(folder, `config/fanfold/join-${port}`), 'utf8'));
  const credentials = { accessKeyId: left.username, secretAccessKey: left.password };
  return {
    credentials,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
  };
}

function fanfold(env: NodeJS.ProcessEnv, ...args: string[]) {
  return inThisProcess(args, env);
}

it('workers on this machine receive the chunks of a stack', async () => {
  const server = await serve(['--tasks', TASKS]);
  const { env } = onAws(server);
  const worker = begin(['work', '--stack', 'fanfold', '--tasks', TASKS, '--workers', '2'], env);
  await printed(worker, /(2 workers at stack fanfold on AWS), tasks: /);
  const run = await fanfold(env, 'run', 'same', '--range', '40', '--stack', 'fanfold');
  expect(run.stderr).toContain('40 inputs = 40 ok');
  const all = results(run.stdout);
  expect(new Set(all.map(({ index }) => index)).size).toBe(40);
  for (const { index, output, worker: who } of all) {
    expect(output).toBe(index);
    expect(who).toMatch(/-\d+-[12]$/);
  }
  await fanfold(env, 'run', 'prints', '--range', '1', '--stack', 'fanfold');
  const logged = JSON.parse(await printed(worker, /^(\{.*"message":"printed by the task"\})$/m));
  const about = { level: 'info', index: 0, task: 'prints', attempt: 1 };
  expect(logged).toMatchObject({ ...about, worker: expect.stringMatching(/-\d+-[12]$/) });
  worker.child.kill('SIGTERM');
  expect((await worker.ended).status).toBe(0);
});

it('plan runs the sample on the stack, and says before what that costs at most', async () => {
  const { env } = onAws(await serve(['--tasks', TASKS, '--workers', '2']));
  const args = ['plan', 'waits', '--range', '50', '--stack', 'fanfold', '--sample', '10', '--json'];
  const { status, stdout, stderr } = await fanfold(env, ...args);
  expect(stderr).toMatch(
    /50 inputs; running up to 10 of them, on stack fanfold, for at most \$0.\d+ of Lambda's time/,
  );
  expect(status).toBe(0);
  const { sample, aws, notes, seconds } = JSON.parse(stdout);
  expect(sample).toMatchObject({ inputs: 10, ok: 10 });
  // The server cuts chunks for 8 workers, and does not tell the memory of a function.
  expect(aws.deployment).toMatchObject({ region: 'us-east-1', memoryMb: 1_024, maxConcurrency: 8 });
  expect(notes[0]).toContain('This supposes workers of 1024 MB on arm64.');
  expect(aws.usd.likely).toBeGreaterThan(0);
  expect(aws.sizes[0].isPlanned).toBe(true);
  expect(seconds.low).toBeLessThanOrEqual(seconds.likely);
});

it('redrive moves the messages of the dead-letter queue back', async () => {
  const server = await serve();
  const { env, credentials } = onAws(server);
  const empty = await fanfold(env, 'redrive', '--stack', 'fanfold');
  expect(empty.stderr).toContain('the dead-letter queue of stack fanfold is empty');
  const sqs = new SQSClient({ endpoint: server.url, region: 'us-east-1', credentials });
  const queue = (name: string) => `${server.url}/000000000000/${name}`;
  for (const MessageBody of ['one', 'two', 'three']) {
    await sqs.send(new SendMessageCommand({ QueueUrl: queue('fanfold-tasks-dead'), MessageBody }));
  }
  const { status, stderr } = await fanfold(env, 'redrive', '--stack', 'fanfold');
  expect(stderr).toContain('moved 3 task messages of stack fanfold back to the task queue');
  expect(status).toBe(0);
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl: queue('fanfold-tasks'), MaxNumberOfMessages: 10 }),
  );
  expect(Messages.map(({ Body }) => Body).sort()).toEqual(['one', 'three', 'two']);
  sqs.destroy();
});

it('a missing stack is reported', async () => {
  const { env } = onAws(await serve());
  const none = 'Check the name, the account and the region';
  const cases: [name: string, args: string[], sentence: string][] = [
    ['Photos', ['run', 'echo', '--range', '3'], none],
    ['Photos', ['work', '--tasks', TASKS], none],
    ['Photos', ['runs'], none],
    ['Photos', ['cancel', '20261123T165514123-k3f9x2ab'], none],
    ['Photos', ['redrive'], none],
    ['Photos!', ['redrive'], "A deployment's name must be 1 to 40 letters"],
  ];
  for (const [name, args, sentence] of cases) {
    const { status, stderr } = await fanfold(env, ...args, '--stack', name);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(2);
  }
});

it('refused credentials and a missing region are reported in sentences', async () => {
  const { env } = onAws(await serve());
  const wrong = await fanfold(
    { ...env, AWS_SECRET_ACCESS_KEY: 'wrong' },
    ...['run', 'echo', '--range', '3', '--stack', 'fanfold'],
  );
  expect(wrong.stderr).toMatch(/^fanfold: AWS refuses the credentials \(.*\): set AWS_PROFILE/m);
  expect(wrong.status).toBe(3);
  const nowhere = await fanfold(
    { ...env, AWS_REGION: undefined, AWS_CONFIG_FILE: '/dev/null' },
    ...['work', '--stack', 'fanfold', '--tasks', TASKS],
  );
  expect(nowhere.stderr).toContain('No AWS region is configured');
  expect(nowhere.status).toBe(3);
  const both = await fanfold(env, 'work', '--stack', 'a', '--endpoint', 'http://127.0.0.1:1');
  expect(both.stderr).toContain('give only one of these options');
  expect(both.status).toBe(2);
});
