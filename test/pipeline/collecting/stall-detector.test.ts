import { CreateQueueCommand, PurgeQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLambdaClient, Lambda } from '../../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { Deadline } from '../../../src/pipeline/collecting/deadline.ts';
import { Knobs } from '../../../src/pipeline/collecting/knobs.ts';
import { StallDetector } from '../../../src/pipeline/collecting/stall-detector.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { RunLedger } from '../../../src/pipeline/run/ledger.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

it('a run whose only chunk waits in a lane, as when it is paused, has not stalled', async () => {
  const sqs = createSqsClient(new Sqs());
  const names = namesOf('Photos');
  const create = async (QueueName: string, Attributes = {}) =>
    (await sqs.send(new CreateQueueCommand({ QueueName, Attributes }))).QueueUrl ?? '';
  await create(names.tasks);
  const runId = newRunId();
  const queueUrl = await create(names.run(runId));
  const QueueUrl = await create(names.lanes, { FifoQueue: 'true' });
  const group = { MessageGroupId: `${runId}.p0`, MessageDeduplicationId: 'a' };
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x', ...group }));
  const ledger = new RunLedger();
  ledger.expect(10);
  ledger.seal(10);
  const expiresAt = Date.now() + 86_400_000;
  const onStalled = vi.fn();
  const deployment = { sqs, lambda: createLambdaClient(new Lambda()), names };
  const knobs = new Knobs(deployment, runId, Promise.resolve(queueUrl), { expiresAt });
  const deadline = new Deadline(sqs, knobs, 65_000, { onPassed() {}, onOver() {} });
  const options = { deployment, queueUrl, ledger, deadline, knobs, onStalled };
  const detector = new StallDetector(options);
  await vi.advanceTimersByTimeAsync(120_000);
  expect(onStalled).not.toHaveBeenCalled();
  await sqs.send(new PurgeQueueCommand({ QueueUrl }));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(onStalled).toHaveBeenCalledOnce();
  detector.end();
  deadline.end();
});
