import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { defineTask } from '../../../src/index.ts';
import { type Chunk, chunkBody } from '../../../src/pipeline/messages/chunk.ts';
import type { Flow } from '../../../src/pipeline/messages/flow.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { laneQueueUrl } from '../../../src/pipeline/queue-urls.ts';
import { createRunQueue } from '../../../src/pipeline/run/queues.ts';
import type { RunControl } from '../../../src/pipeline/run/run-queues.ts';
import { leavesLane } from '../../../src/pipeline/working/lanes.ts';
import { pull } from '../../../src/pipeline/working/poll-loop.ts';
import { Worker } from '../../../src/pipeline/working/worker.ts';
import { TaskRegistry } from '../../../src/task-registry.ts';

const probing: Flow = { lanes: 1, concurrency: 1, rate: '60/m' };

it('chunks that waited in a lane during an outage leave it while their worker is busy', async () => {
  const sqs = new Sqs();
  const client = createSqsClient(sqs);
  const names = namesOf('Photos');
  const create = async (QueueName: string, Attributes = {}) =>
    (await client.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  const taskQueueUrl = await create(names.tasks);
  const deadQueueUrl = await create(names.dead);
  await create(names.lanes, { FifoQueue: 'true' });
  const runId = newRunId();
  await createRunQueue(client, names, runId, { outage: 'none', pauseWhenFailing: '50%/10s' });
  const begun: number[] = [];
  const gate = Promise.withResolvers<void>();
  const gated = defineTask({
    name: 'gated',
    async run(input: number) {
      begun.push(input);
      await gate.promise;
    },
  });
  const send = async (QueueUrl: string, index: number, flow?: Flow) => {
    const envelope = { runId, task: 'gated', attempt: 1, results: 'own' as const, flow };
    const items = [{ index, text: String(index) }];
    const MessageBody = chunkBody({ ...envelope, expiresAt: Date.now() + 3_600_000 }, items);
    const fifo = { MessageGroupId: `${runId}.0`, MessageDeduplicationId: String(index) };
    const more = flow ? fifo : {};
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));
  };
  const stop = new AbortController();
  const worker = new Worker({
    ...{ sqs: client, taskQueueUrl, deadQueueUrl, worker: 'w', sliceSeconds: 60 },
    tasks: TaskRegistry.fromModule({ gated }),
  });
  await send(taskQueueUrl, 0);
  const ended = pull({ sqs: client, taskQueueUrl, worker, signal: stop.signal });
  await expect.poll(() => begun).toEqual([0]);
  for (const index of [1, 2, 3]) await send(laneQueueUrl(taskQueueUrl), index, probing);
  const waiting = () => sqs.peek(names.tasks).filter(({ state }) => state === 'visible').length;
  await expect.poll(waiting).toBe(3);
  expect(begun).toEqual([0]);
  await expect.poll(() => sqs.peek(names.lanes)).toEqual([]);
  gate.resolve();
  await expect.poll(() => begun.toSorted()).toEqual([0, 1, 2, 3]);
  stop.abort();
  await ended;
  sqs.close();
});

const ofLane = (group: string | undefined, flow: Flow | undefined, control: Partial<RunControl>) =>
  leavesLane(
    { id: 'm', body: '', receiptHandle: '', receiveCount: 1, group },
    { runId: 'run', flow } as Chunk,
    { paused: false, ...control },
  );

it.each<[string, boolean, string | undefined, Flow | undefined, Partial<RunControl>]>([
  ['has no bounds any more', true, 'run.0', probing, { flow: 'none' }],
  ['has other lanes', true, 'run.0', probing, { flow: { ...probing, lanes: 2 } }],
  ['has lost this lane', true, 'run.1', { ...probing, lanes: 1 }, {}],
  ['was paused before and has no bounds', true, 'run.p1', undefined, {}],
  ['has this lane', false, 'run.0', probing, {}],
  ['is paused', false, 'run.0', probing, { flow: 'none', paused: true }],
  ['has settings that nobody could read', false, 'run.0', probing, { unread: new Error('busy') }],
  ['has a chunk in no lane', false, undefined, probing, { flow: 'none' }],
])('whether a chunk leaves its lane, if its run %s: %s', (_, leaves, group, flow, control) => {
  expect(ofLane(group, flow, control)).toBe(leaves);
});
