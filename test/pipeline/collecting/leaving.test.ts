import { setTimeout } from 'node:timers/promises';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClientResolvedConfig,
} from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { inProcess } from '../../../src/emulator/transport/index.ts';
import { ResultReceiver } from '../../../src/pipeline/collecting/result-receiver.ts';
import { ResultDraft } from '../../../src/pipeline/messages/result-message.ts';

const RUN_ID = '20270101T000000000-aaaaaaaa';

/** A queue of results, and a client with this latency in milliseconds. */
async function queueOf(results: number, readAfterMs = 0) {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const { QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: 'results' }));
  const report = async (index: number) => {
    const draft = new ResultDraft();
    draft.add(index, `{"index":${index},"status":"ok","output":null,"ms":1}`, true);
    const MessageBody = draft.body(RUN_ID, 'worker');
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  };
  for (let index = 0; index < results; index++) await report(index);
  const near = inProcess(sqs.service);
  const far = {
    ...near,
    async handle(request: Parameters<typeof near.handle>[0], options?: { abortSignal?: unknown }) {
      const answer = await near.handle(request);
      // A response in transit when a client aborts is lost.
      await setTimeout(readAfterMs, undefined, { signal: options?.abortSignal as AbortSignal });
      return answer;
    },
  };
  const requestHandler = far as unknown as SQSClientResolvedConfig['requestHandler'];
  const slow = readAfterMs === 0 ? client : createSqsClient(sqs, { requestHandler });
  const visible = async () => {
    const receive = { QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 0 };
    const { Messages = [] } = await client.send(new ReceiveMessageCommand(receive));
    return Messages.length;
  };
  return { collector: new ResultReceiver(slow, QueueUrl, RUN_ID), report, visible };
}

it('a collector that leaves releases received messages that were not consumed', async () => {
  const { collector, visible } = await queueOf(30);
  const deliveries = collector.deliveries();
  const first = await deliveries.next();
  const second = await deliveries.next();
  if (first.done || second.done) throw new Error('Two deliveries were expected.');
  collector.acknowledge(first.value);
  // More messages are received than consumed.
  await setTimeout(50);
  await deliveries.return();
  await collector.settled(false);
  const held = second.value.receiptHandles.length;
  expect(held).toBeGreaterThan(0);
  expect(await visible()).toBe(10);
});

it('a poll in progress when a collector leaves still yields its messages', async () => {
  const { collector, report, visible } = await queueOf(0, 50);
  const taken: number[] = [];
  const taking = (async () => {
    for await (const delivery of collector.deliveries()) {
      taken.push(...delivery.batches.flatMap(({ lines }) => lines.map(({ index }) => index)));
      collector.acknowledge(delivery);
    }
  })();
  await setTimeout(20);
  await report(0);
  // Its response is in transit.
  collector.close(true);
  await taking;
  await collector.settled(false);
  expect(taken).toEqual([0]);
  expect(await visible()).toBe(0);
});
