import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { RunQueues } from '../../../src/pipeline/run/run-queues.ts';
import { writeTags } from '../../../src/pipeline/run/tags.ts';
import { denying } from '../../denying.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

it('a run is over when its queue was missing at three separate moments, however many lookups there were', () => {
  const runs = new RunQueues(createSqsClient(new Sqs()));
  const run = {
    ...{ runId: newRunId(Date.now() - 3_600_000), results: 'own' as const },
    resultQueueUrl: 'http://localhost/0/r',
  };
  const looks = () => new Set(Array.from({ length: 10 }, () => runs.missing(run)));
  expect(looks()).toEqual(new Set(['unsure']));
  vi.setSystemTime(Date.now() + 31_000);
  expect(looks()).toEqual(new Set(['unsure']));
  vi.setSystemTime(Date.now() + 10_000);
  expect(looks()).toEqual(new Set(['over']));
});

it('what was set for a run counts for longer while AWS throttles its readers', async () => {
  const sqs = new Sqs();
  const owner = createSqsClient(sqs);
  const { QueueUrl = '' } = await owner.send(new CreateQueueCommand({ QueueName: 'run' }));
  await writeTags(owner, QueueUrl, { pausedAt: 1 });
  let isThrottled = false;
  const throttled = () => isThrottled;
  const runs = new RunQueues(denying(createSqsClient(sqs), throttled, 'RequestThrottled'));
  const run = { runId: newRunId(), results: 'own' as const, resultQueueUrl: QueueUrl };
  expect(await runs.state(run)).toBe('on');
  isThrottled = true;
  expect(await runs.state(run, 0)).toBe('on');
  expect(runs.control(run)).toMatchObject({ paused: true });
});

it('a run whose settings AWS does not let a worker read yet goes on, and they are read later', async () => {
  const sqs = new Sqs();
  const owner = createSqsClient(sqs);
  const { QueueUrl = '' } = await owner.send(new CreateQueueCommand({ QueueName: 'run' }));
  await writeTags(owner, QueueUrl, { pausedAt: 1 });
  let isThrottled = true;
  const throttled = (action: string) => isThrottled && action === 'ListQueueTagsCommand';
  const runs = new RunQueues(denying(createSqsClient(sqs), throttled, 'RequestThrottled'));
  const run = { runId: newRunId(), results: 'own' as const, resultQueueUrl: QueueUrl };
  expect(await runs.state(run)).toBe('on');
  expect(await runs.state(run)).toBe('on');
  expect(runs.control(run)).toMatchObject({ unread: { name: 'RequestThrottled' } });
  isThrottled = false;
  await runs.state(run);
  expect(runs.control(run)).toMatchObject({ paused: true });
  expect(runs.control(run).unread).toBeUndefined();
  const other = { ...run, resultQueueUrl: `${QueueUrl}-2` };
  isThrottled = true;
  expect(await runs.state(other)).toBe('unsure');
  const throttledSqs = denying(createSqsClient(sqs), throttled, 'RequestThrottled');
  const machine = new RunQueues(denying(throttledSqs, (action) => action === 'GetQueueUrlCommand'));
  await expect(machine.state(run)).rejects.toMatchObject({ name: 'RequestThrottled' });
});
