import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateQueueCommand,
  ListQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { expect, it, onTestFinished } from 'vitest';
import { openStore, Sqs } from '../../src/emulator/sqs/index.ts';
import { type Listening, listen, type Service } from '../../src/emulator/transport/index.ts';
import { sqsOf } from '../../src/endpoint/clients.ts';

const credentials = { accessKeyId: 'K', secretAccessKey: 'S' };

/** A server that stores its queues in one folder and can be restarted on its port. */
async function aServer() {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-clients-'));
  let sqs: Sqs;
  let listening: Listening;
  const start = async (port: number, around = (service: Service) => service) => {
    sqs = new Sqs({ store: openStore(folder) });
    listening = await listen(around(sqs.signedService([credentials])), { port });
  };
  const end = async () => {
    await listening.close();
    await sqs.close();
  };
  onTestFinished(async () => {
    await end();
    rmSync(folder, { recursive: true });
  });
  return { start, end, url: () => listening.url, port: () => listening.port };
}

it('a retried receive returns the messages of its lost response', async () => {
  const server = await aServer();
  // It dies after it stores a change and before it responds.
  const begun = Promise.withResolvers<void>();
  await server.start(0, (service) => async (request) => {
    const answer = await service(request);
    if (!request.headers['smithy-protocol'] || !request.path.includes('ReceiveMessage')) {
      return answer;
    }
    begun.resolve();
    return new Promise(() => {});
  });
  const place = { endpoint: server.url(), region: 'us-east-1', credentials };
  const ours = sqsOf(place, { maxAttempts: 1 });
  const stock = new SQSClient({ ...place, useQueueUrlAsEndpoint: false });
  const { QueueUrl } = await ours.send(new CreateQueueCommand({ QueueName: 'q' }));
  await ours.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }));
  const receive = new ReceiveMessageCommand({
    QueueUrl,
    MessageSystemAttributeNames: ['ApproximateReceiveCount'],
  });
  // First cut off, then refused.
  const lost = expect(ours.send(receive)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await begun.promise;
  const port = server.port();
  await server.end();
  await lost;
  await server.start(port);
  // For other receivers it stays hidden for its full timeout.
  expect((await stock.send(receive)).Messages).toBeUndefined();
  expect((await ours.send(receive)).Messages).toMatchObject([
    { Body: 'hello', Attributes: { ApproximateReceiveCount: '1' } },
  ]);
  expect((await ours.send(receive)).Messages).toBeUndefined();
  ours.destroy();
  stock.destroy();
});

it('calls are retried however many have failed before', async () => {
  const server = await aServer();
  await server.start(0);
  const ours = sqsOf({ endpoint: server.url(), region: 'us-east-1', credentials });
  const port = server.port();
  await server.end();
  // The SDK's own quota ends after fifty.
  const tries = await Promise.all(
    Array.from({ length: 80 }, () =>
      ours.send(new ListQueuesCommand({})).catch((error) => error.$metadata.attempts),
    ),
  );
  expect(new Set(tries)).toEqual(new Set([3]));
  await server.start(port);
  expect(await ours.send(new ListQueuesCommand({}))).toMatchObject({});
  ours.destroy();
});
