// node through-sdk.ts fanfold|fauxqs MESSAGES
//
// Passes messages of 1 KiB through a queue in this process with the SDK's client, as a test would:
// sends, receives and deletes each, 16 at once. Prints the seconds that it took.
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { createSqsClient } from '../../src/emulator/sqs/index.ts';
import { bodyOf1KiB } from './requests.ts';

const AT_ONCE = 16;
const WARM_UP = 1_000;

const [, , which = '', messages = ''] = process.argv;
const { client, stop } = which === 'fauxqs' ? await fauxqs() : fanfold();
const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'through-sdk' }));
await through(WARM_UP);
const began = performance.now();
await through(Number(messages));
console.log((performance.now() - began) / 1_000);
client.destroy();
await stop();

function fanfold() {
  return { client: createSqsClient(), stop: async () => {} };
}

/** As in its README: a server in this process, and a client for its address. */
async function fauxqs() {
  const { startFauxqs } = await import('fauxqs');
  const server = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
  const client = new SQSClient({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  return { client, stop: () => server.stop() };
}

async function through(count: number): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (next < count) await one(next++);
    }),
  );
}

async function one(place: number): Promise<void> {
  await client.send(new SendMessageCommand({ QueueUrl, MessageBody: bodyOf1KiB(place) }));
  const { Messages: [message] = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
  if (message === undefined) throw new Error('Expected a message; received none.');
  await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
}
