// Debian 12's awscli 2.9 uses only the Query protocol, and was written by others: https://packages.debian.org/bookworm/awscli
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SqsServer, serveSqs } from '../../src/emulator/sqs/index.ts';

const CLI = '/usr/bin/aws';
const run = promisify(execFile);

const isThere = existsSync(CLI);
// In CI it must be installed, so that no test is skipped.
if (!isThere && process.env.CI) throw new Error(`${CLI} is not installed: apt-get install awscli`);

describe.skipIf(!isThere)('Debian’s AWS CLI', () => {
  let server: SqsServer;
  const credentials = { accessKeyId: 'AKIDCLI', secretAccessKey: 'of the/command+line' };
  beforeAll(async () => {
    server = await serveSqs({ credentials: [credentials], strictTiming: false });
  });
  afterAll(() => server.close());

  const environment = {
    PATH: '/usr/bin:/bin',
    HOME: '/nonexistent',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_DEFAULT_REGION: 'us-east-1',
  };
  const spawned = (args: readonly string[], more: Record<string, string> = {}) =>
    run(CLI, ['--endpoint-url', server.url, 'sqs', ...args], {
      env: { ...environment, ...more },
    });
  /** The output of the CLI; undefined for an action without a result. */
  const aws = async (...args: string[]) => JSON.parse((await spawned(args)).stdout || '{}');
  const refusal = (...args: string[]) =>
    spawned(args).then(
      () => 'not refused',
      (error: { stderr: string }) => error.stderr.trim(),
    );

  it('uses the Query protocol', () => {
    expect(execFileSync(CLI, ['--version'], { encoding: 'utf8' })).toMatch(/^aws-cli\/2\./);
  });

  it('sends, receives, hides and deletes', async () => {
    const { QueueUrl } = await aws('create-queue', '--queue-name', 'cli', '--tags', 'team=a&b <c>');
    const queue = ['--queue-url', QueueUrl];
    expect(QueueUrl).toBe(`${server.url}/000000000000/cli`);
    const body = 'ü & <tag> "quoted" 👍\n\ttabs';
    const attributes =
      '{"n":{"DataType":"Number","StringValue":"1"},"b":{"DataType":"Binary","BinaryValue":"AP8B"}}';
    // botocore compares the MD5 of the body itself.
    const sent = await aws(
      'send-message',
      ...queue,
      '--message-body',
      body,
      '--message-attributes',
      attributes,
    );
    expect(sent.MD5OfMessageAttributes).toMatch(/^[0-9a-f]{32}$/);
    const all = ['--attribute-names', 'All', '--message-attribute-names', 'All'];
    const [message] = (await aws('receive-message', ...queue, ...all)).Messages;
    expect(message).toMatchObject({
      Body: body,
      MessageId: sent.MessageId,
      MD5OfMessageAttributes: sent.MD5OfMessageAttributes,
      Attributes: { ApproximateReceiveCount: '1' },
      MessageAttributes: { n: { StringValue: '1' }, b: { BinaryValue: 'AP8B' } },
    });
    const handle = ['--receipt-handle', message.ReceiptHandle];
    await aws('change-message-visibility', ...queue, ...handle, '--visibility-timeout', '0');
    const [again] = (await aws('receive-message', ...queue)).Messages;
    await aws('delete-message', ...queue, '--receipt-handle', again.ReceiptHandle);
    const { Attributes } = await aws('get-queue-attributes', ...queue, '--attribute-names', 'All');
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '0',
      QueueArn: 'arn:aws:sqs:us-east-1:000000000000:cli',
      VisibilityTimeout: '30',
    });
    expect((await aws('list-queue-tags', ...queue)).Tags).toEqual({ team: 'a&b <c>' });
  });

  it('sends batches to FIFO queues, and receives each group in order', async () => {
    const fifo = ['--attributes', 'FifoQueue=true,ContentBasedDeduplication=true'];
    const { QueueUrl } = await aws('create-queue', '--queue-name', 'cli.fifo', ...fifo);
    const queue = ['--queue-url', QueueUrl];
    const entries = ['a', 'b', 'a'].map((body, n) => ({
      Id: `e${n}`,
      MessageBody: body,
      MessageGroupId: 'g',
    }));
    const sent = await aws('send-message-batch', ...queue, '--entries', JSON.stringify(entries));
    expect(sent.Successful).toHaveLength(3);
    const { Messages } = await aws('receive-message', ...queue, '--max-number-of-messages', '10');
    expect(Messages.map(({ Body }: { Body: string }) => Body)).toEqual(['a', 'b']);
  });

  it('lists, purges and deletes queues', async () => {
    for (const name of ['list-1', 'list-2']) await aws('create-queue', '--queue-name', name);
    const { QueueUrls } = await aws('list-queues', '--queue-name-prefix', 'list-');
    expect(QueueUrls).toHaveLength(2);
    const queue = ['--queue-url', QueueUrls[0]];
    await aws('send-message', ...queue, '--message-body', 'x');
    await aws('purge-queue', ...queue);
    expect(server.sqs.peek('list-1')).toEqual([]);
    await aws('delete-queue', ...queue);
    expect((await aws('list-queues', '--queue-name-prefix', 'list-')).QueueUrls).toHaveLength(1);
  });

  it('reports errors as it reports those of AWS', async () => {
    expect(await refusal('get-queue-url', '--queue-name', 'nowhere')).toBe(
      'An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl operation: The specified queue does not exist for this wsdl version.',
    );
    const wrongKey = spawned(['list-queues'], { AWS_SECRET_ACCESS_KEY: 'a guess' });
    await expect(wrongKey).rejects.toThrow(/\(SignatureDoesNotMatch\) when calling the ListQueues/);
    const unknownKey = spawned(['list-queues'], { AWS_ACCESS_KEY_ID: 'AKIDNOBODY' });
    await expect(unknownKey).rejects.toThrow(/\(InvalidClientTokenId\)/);
  });
});
