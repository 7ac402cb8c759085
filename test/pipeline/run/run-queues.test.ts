import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { RunQueues } from '../../../src/pipeline/run/run-queues.ts';

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
