import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { inProcess, type Service } from '../../../src/emulator/transport/index.ts';
import { defineTask } from '../../../src/index.ts';
import { chunkBody } from '../../../src/pipeline/messages/chunk.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { pull } from '../../../src/pipeline/working/poll-loop.ts';
import { Worker } from '../../../src/pipeline/working/worker.ts';
import { TaskRegistry } from '../../../src/task-registry.ts';

const CHUNKS = 30;

// Several quick chunks are received at once, even on a slow machine.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('each of several messages received together is claimed by its own handle', async () => {
  const sqs = new Sqs();
  const claimed: string[] = [];
  let receives = 0;
  const service: Service = (request) => {
    const action = request.headers['x-amz-target'];
    if (action === 'AmazonSQS.ReceiveMessage') receives++;
    if (action === 'AmazonSQS.ChangeMessageVisibility') {
      claimed.push(JSON.parse(String(request.body)).ReceiptHandle);
    }
    return sqs.service(request);
  };
  const client = createSqsClient(sqs, { requestHandler: inProcess(service) });
  const names = namesOf('Photos');
  const create = async (QueueName: string) =>
    (await client.send(new CreateQueueCommand({ QueueName }))).QueueUrl ?? '';
  const taskQueueUrl = await create(names.tasks);
  await create(names.results);
  // It may take longer than a new claim lasts, so that each chunk's claim is extended before it runs.
  const long = defineTask({ name: 'long', timeoutSeconds: 300, run: () => null });
  const runId = newRunId();
  for (let index = 0; index < CHUNKS; index++) {
    const envelope = { runId, task: 'long', attempt: 1, results: 'shared' as const };
    const expiresAt = Date.now() + 3_600_000;
    const MessageBody = chunkBody({ ...envelope, expiresAt }, [{ index, text: 'null' }]);
    await client.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody }));
  }
  const stop = new AbortController();
  const pulling = pull({
    ...{ sqs: client, taskQueueUrl, signal: stop.signal },
    worker: new Worker({
      ...{ sqs: client, taskQueueUrl, worker: 'w', sliceSeconds: 60 },
      tasks: TaskRegistry.fromModule({ long }),
      deadQueueUrl: await create(names.dead),
    }),
  });
  await expect.poll(() => sqs.peek(names.tasks), { timeout: 60_000 }).toEqual([]);
  stop.abort();
  await pulling;
  expect(receives).toBeLessThan(CHUNKS);
  // A slow chunk causes the waiting ones to be sent back, which are then claimed again.
  expect(new Set(claimed).size).toBeGreaterThanOrEqual(CHUNKS);
});
