import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PublishedStatistics } from '../../../src/pipeline/collecting/published-statistics.ts';
import type { Deployment } from '../../../src/pipeline/run/deployment.ts';
import { PayloadError, type Payloads } from '../../../src/pipeline/run/payloads.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const metered = { region: 'eu-central-1', usedFor: () => undefined };

/** What is published, and when, in seconds. */
function publisher(known: Partial<Deployment> = {}, refused?: Error) {
  const put: [seconds: number, text: string][] = [];
  const startedAt = Date.now();
  const putStatistics = async (_: string, content: Uint8Array) => {
    put.push([(Date.now() - startedAt) / 1000, Buffer.from(content).toString()]);
    if (refused) throw refused;
  };
  const deployment = { isShared: true, payloads: { putStatistics }, ...known };
  let texts = 0;
  const published = PublishedStatistics.of(
    deployment as unknown as Deployment & { payloads: Payloads },
    'run',
    () => Buffer.from(`text ${++texts}`),
  );
  return { put, published };
}

it.each([
  ['5 s on a server', {}, [5, 10, 15, 17]],
  ['30 s on a stack', { metered }, [5, 17]],
])('after 5 s, then every %s, and at the end', async (_, known, times) => {
  const { put, published } = publisher(known);
  published?.start();
  published?.start();
  await vi.advanceTimersByTimeAsync(17_000);
  await published?.end();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(put).toEqual(times.map((at, n) => [at, `text ${n + 1}`]));
});

it('never of a short run, nor where nobody looks', async () => {
  const { put, published } = publisher();
  published?.start();
  await vi.advanceTimersByTimeAsync(4_000);
  await published?.end();
  await vi.advanceTimersByTimeAsync(100_000);
  expect(put).toEqual([]);
  expect(publisher({ isShared: false }).published).toBeUndefined();
});

it.each([
  ['again after a failed call', new Error('socket hang up'), 4],
  ['no more without a bucket', new PayloadError('noBucket', 'there is no bucket'), 1],
])('%s', async (_, error, tries) => {
  const { put, published } = publisher({}, error);
  published?.start();
  await vi.advanceTimersByTimeAsync(16_000);
  await published?.end();
  expect(put).toHaveLength(tries);
});

it('a slow end is cut off', async () => {
  const putStatistics = (_: string, __: Uint8Array, signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const { published } = publisher({ payloads: { putStatistics } as never });
  published?.start();
  await vi.advanceTimersByTimeAsync(6_000);
  let hasEnded = false;
  void published?.end().then(() => {
    hasEnded = true;
  });
  await vi.advanceTimersByTimeAsync(10_000);
  expect(hasEnded).toBe(true);
});
