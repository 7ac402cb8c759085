import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListQueuesCommand,
  ListQueueTagsCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, expect, it } from 'vitest';
import { fanfold } from './command.ts';
import { aUser, begin, printed } from './serving.ts';

aUser();
const folder = mkdtempSync(join(tmpdir(), 'fanfold-sqs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: unknown): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function serve(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const command = begin(['sqs', '--port', '0', ...args], env);
  const url = await printed(command, /serving SQS at ([^\s,]+)/);
  // The last line: tests read what was printed with it.
  await printed(command, /(signatures are)/);
  const client = (accessKeyId = 'any', secretAccessKey = 'any', region = 'us-east-1') =>
    new SQSClient({
      ...{ endpoint: url, region, maxAttempts: 1 },
      credentials: { accessKeyId, secretAccessKey },
    });
  return { ...command, url, client };
}

it('fanfold sqs creates queues, reports health, supports CORS, accepts any credentials, and ends cleanly', async () => {
  const ORIGIN = 'http://localhost:5173';
  const server = await serve(['--queue', 'jobs', '--queue', 'orders.fifo', '--cors', ORIGIN]);
  const { url } = server;
  const { QueueUrls } = await server.client().send(new ListQueuesCommand({}));
  expect(QueueUrls).toEqual([`${url}/000000000000/jobs`, `${url}/000000000000/orders.fifo`]);
  expect(server.said()).toContain('queues: jobs, orders.fifo');
  expect(server.said()).toContain(`new SQSClient({ endpoint: '${url}', region: 'us-east-1'`);
  expect(server.said()).toContain('signatures are not verified');
  // Queues of another account are separate.
  const other = server.client('111111111111', 'x', 'eu-west-1');
  const made = await other.send(new CreateQueueCommand({ QueueName: 'jobs' }));
  expect(made.QueueUrl).toBe(`${url}/111111111111/jobs`);

  const health = await fetch(`${url}/health`, { headers: { origin: ORIGIN } });
  expect(health.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
  expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);

  const asked = 'authorization,content-type,x-amz-date,x-amz-target,x-amzn-query-mode';
  const preflight = (origin: string) =>
    fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': asked,
      },
    });
  const allowed = await preflight(ORIGIN);
  expect(allowed.status).toBe(200);
  expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect(allowed.headers.get('access-control-allow-headers')).toBe(asked);
  expect(allowed.headers.get('access-control-allow-methods')).toContain('POST');
  const refused = await preflight('https://elsewhere.example');
  expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  const call = await fetch(`${url}/?Action=ListQueues`, { headers: { origin: ORIGIN } });
  expect(call.headers.get('access-control-allow-origin')).toBe(ORIGIN);
  expect(call.headers.get('access-control-expose-headers')).toContain('x-amzn-query-error');

  const { port } = new URL(url);
  const second = await fanfold(['sqs', '--port', port]);
  expect(second).toMatchObject({
    status: 2,
    stderr: expect.stringContaining(`port ${port}: another program uses it`),
  });
  const waiting = server
    .client()
    .send(new ReceiveMessageCommand({ QueueUrl: `${url}/000000000000/jobs`, WaitTimeSeconds: 20 }));
  const cut = waiting.then(
    ({ Messages }) => Messages ?? [],
    () => 'cut',
  );
  server.child.kill('SIGTERM');
  expect((await server.ended).status).toBe(0);
  expect([[], 'cut']).toContainEqual(await cut);
});

it('fanfold sqs reads a configuration file, verifies credentials, and stores queues in a folder', async () => {
  const data = join(folder, 'data');
  const A = { accessKeyId: 'AKIDA', secretAccessKey: 'secret a', accountId: '111111111111' };
  const config = {
    region: 'eu-west-1',
    data,
    credentials: [A],
    queues: [
      'plain',
      {
        name: 'jobs.fifo',
        attributes: { VisibilityTimeout: 7, ContentBasedDeduplication: true },
        tags: { team: 'x' },
        deadLetterQueue: { name: 'dead.fifo', maxReceiveCount: 3 },
        accountId: A.accountId,
      },
      { name: 'dead.fifo', accountId: A.accountId },
      { name: 'far', region: 'us-west-2', accountId: A.accountId },
    ],
  };
  const args = ['--config', file('good.json', config), '--credentials', 'AKIDC:secret:c'];
  const first = await serve(args, { FANFOLD_SQS_CREDENTIALS: 'AKIDB:secret:b' });
  const a = (server: typeof first, region = 'eu-west-1') =>
    server.client(A.accessKeyId, A.secretAccessKey, region);
  const QueueUrl = 'jobs.fifo';
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] });
  const { Attributes } = await a(first).send(asked);
  expect(Attributes).toMatchObject({
    VisibilityTimeout: '7',
    ContentBasedDeduplication: 'true',
    QueueArn: 'arn:aws:sqs:eu-west-1:111111111111:jobs.fifo',
  });
  expect(JSON.parse(Attributes?.RedrivePolicy ?? '')).toEqual({
    deadLetterTargetArn: 'arn:aws:sqs:eu-west-1:111111111111:dead.fifo',
    maxReceiveCount: 3,
  });
  const { Tags } = await a(first).send(new ListQueueTagsCommand({ QueueUrl }));
  expect(Tags).toEqual({ team: 'x' });
  await a(first, 'us-west-2').send(new GetQueueUrlCommand({ QueueName: 'far' }));
  // A key without an account belongs to the server's own.
  const b = first.client('AKIDB', 'secret:b', 'eu-west-1');
  expect((await b.send(new ListQueuesCommand({}))).QueueUrls).toHaveLength(1);
  const c = first.client('AKIDC', 'secret:c', 'eu-west-1');
  expect((await c.send(new ListQueuesCommand({}))).QueueUrls).toHaveLength(1);
  const guess = first.client('AKIDB', 'guess', 'eu-west-1');
  await expect(guess.send(new ListQueuesCommand({}))).rejects.toThrow('does not match');
  expect((await fetch(`${first.url}/health`)).status).toBe(200);
  expect((await fetch(first.url, { method: 'HEAD' })).status).toBe(200);
  const sent = { QueueUrl, MessageBody: 'kept', MessageGroupId: 'a' };
  await a(first).send(new SendMessageCommand(sent));
  first.child.kill('SIGINT');
  expect((await first.ended).status).toBe(0);
  expect(existsSync(join(data, 'queues.sqlite'))).toBe(true);

  const [, jobs] = config.queues;
  Object.assign((jobs as { attributes: object }).attributes, { VisibilityTimeout: 8 });
  const second = await serve(['--config', file('changed.json', config)]);
  const { Messages } = await a(second).send(new ReceiveMessageCommand({ QueueUrl }));
  expect(Messages?.map(({ Body }) => Body)).toEqual(['kept']);
  expect((await a(second).send(asked)).Attributes?.VisibilityTimeout).toBe('8');
});

it('fanfold sqs warns that other machines can use it', async () => {
  const server = await serve(['--host', '0.0.0.0']);
  expect(server.said()).toContain('anyone who can reach 0.0.0.0 can use');
  expect(server.said()).toContain(`endpoint: 'http://127.0.0.1:`);
});
