import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { connect, defineTask, type Run, type Statistics } from '../../../src/index.ts';
import { Deduplicator } from '../../../src/pipeline/collecting/deduplicator.ts';
import { RunStatistics } from '../../../src/pipeline/collecting/run-statistics.ts';
import { failedLine, okLine } from '../../../src/pipeline/messages/result.ts';
import { ResultDraft, readResults } from '../../../src/pipeline/messages/result-message.ts';
import { TimingDraft } from '../../../src/pipeline/messages/timing.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { RunLedger } from '../../../src/pipeline/run/ledger.ts';

const INPUTS = 300;

const uneven = defineTask({
  ...{ name: 'uneven', concurrency: 10, maxAttempts: 1 },
  async run(n: number) {
    await new Promise((resolve) => setTimeout(resolve, n % 30 === 0 ? 60 : 5));
    if (n % 100 === 0) throw new Error(`${n} is round`);
    return n;
  },
});

async function statisticsOf(options: object, read: (run: Run) => Promise<unknown>) {
  await using fanfold = await connect({ workers: 2 });
  const inputs = Array.from({ length: INPUTS }, (_, n) => n);
  const run = fanfold.map(uneven, inputs, options);
  await read(run);
  return run.statistics();
}

const all = async (run: Run) => {
  for await (const _ of run);
};
const firstOf = async (run: Run) => {
  for await (const _ of run) return;
};

it.each([{}, { ordered: true }])('add up to the ledger %j', async (options) => {
  const { ledger, durations, series, workers, failures, startedAt, at } = await statisticsOf(
    options,
    all,
  );
  expect(ledger).toMatchObject({ inputs: INPUTS, ok: INPUTS - 3, failed: 3 });
  const sums = (list: Statistics['series'] | Statistics['workers']) => [
    list.reduce((sum, { ok }) => sum + ok, 0),
    list.reduce((sum, { failed }) => sum + failed, 0),
  ];
  expect(sums(series)).toEqual([INPUTS - 3, 3]);
  expect(sums(workers)).toEqual([INPUTS - 3, 3]);
  expect(durations.count).toBe(INPUTS);
  expect(durations.histogram.reduce((sum, { count }) => sum + count, 0)).toBe(INPUTS);
  expect(durations.p50).toBeGreaterThan(4);
  expect(durations.p50).toBeLessThan(55);
  expect(durations.max).toBeGreaterThan(55);
  expect(failures).toEqual([
    { code: 'TaskFailed', message: 'Error: N is round', count: 3, indexes: [0, 100, 200] },
  ]);
  const spans = workers.flatMap((worker) => worker.spans);
  expect(spans.every(({ from, to }) => startedAt <= from && from < to && to <= at)).toBe(true);
});

it('have the failures of inputs that were lost', async () => {
  const hang = defineTask({ name: 'hang', run: () => new Promise<never>(() => {}) });
  await using fanfold = await connect({ workers: 1 });
  const run = fanfold.map(hang, [1, 2], { deadlineSeconds: 0.3 });
  for await (const _ of run);
  const { ledger, failures } = run.statistics();
  expect(ledger.failed).toBe(2);
  expect(failures.reduce((sum, { count }) => sum + count, 0)).toBe(2);
});

it('name the last inputs, which hold up the end', async () => {
  const odd = defineTask({
    name: 'odd',
    run: (n: number) => (n % 2 === 1 ? n : new Promise<never>(() => {})),
  });
  await using fanfold = await connect({ workers: 5 });
  const run = fanfold.map(odd, [1, 2, 3, 4]);
  const all = Array.fromAsync(run).catch(() => {});
  await expect.poll(() => run.statistics().left).toEqual([1, 3]);
  await run.cancel();
  await all;
  expect(run.statistics().left).toEqual([]);
});

it('can be had while the run goes on', async () => {
  const { durations, ledger } = await statisticsOf({}, firstOf);
  expect(durations.count).toBeGreaterThan(0);
  expect(durations.count).toBeLessThanOrEqual(ledger.ok + ledger.failed);
});

it('count a message once, however often it arrives, and believe no clock that is far off', () => {
  const runId = newRunId();
  const ledger = new RunLedger();
  ledger.expect(1);
  const events = { onCancel() {}, onSealed() {}, onBroken() {}, onFailing() {}, onUsed() {} };
  const deduplicator = new Deduplicator(ledger, events);
  const [draft, timing] = [new ResultDraft(), new TimingDraft()];
  draft.add(0, okLine(0, '0', 7), true);
  timing.add(7, true);
  const body = draft.body(runId, 'w', timing.timing(1e12));
  const now = Date.now();
  const statistics = RunStatistics.of(runId, () => now);
  for (let n = 0; n < 2; n++) {
    const batches = [readResults(body, runId)];
    statistics.time(deduplicator.enter({ batches, notices: [], used: [], receiptHandles: [] }));
  }
  const { durations, series, workers } = statistics.snapshot(ledger);
  expect(durations.count).toBe(1);
  expect(workers).toMatchObject([{ name: 'w', ok: 1, ranMs: 7 }]);
  expect(Math.abs((series[0]?.at ?? 0) - now)).toBeLessThan(61_000);
});

it('are continued by another process as if it had seen all', () => {
  const runId = newRunId();
  const now = Date.now();
  const ledger = new RunLedger();
  const batchOf = (index: number, worker: string) => {
    const [draft, timing] = [new ResultDraft(), new TimingDraft()];
    const isOk = index % 3 > 0;
    const failure = {
      code: 'TaskFailed',
      name: 'Error',
      message: `no ${index}`,
      attempts: 1,
    } as const;
    draft.add(index, isOk ? okLine(index, '0', 7) : failedLine(index, failure, 7), isOk);
    timing.add(index * 10 + 1, isOk);
    if (index % 5 === 0) timing.sliced();
    ledger.enter(index, isOk ? 'ok' : 'failed');
    return readResults(draft.body(runId, worker, timing.timing(0)), runId);
  };
  const count = (statistics: RunStatistics, batch: ReturnType<typeof batchOf>) => {
    statistics.time([batch]);
    statistics.failed(batch);
  };
  const whole = RunStatistics.of(runId, () => now);
  let handedOver = RunStatistics.of(runId, () => now);
  for (let index = 0; index < 30; index++) {
    const batch = batchOf(index, `worker ${index % 4}`);
    count(whole, batch);
    count(handedOver, batch);
    if (index % 10 < 9) continue;
    handedOver = RunStatistics.of(runId, () => now, { before: handedOver.save(ledger) });
  }
  const shown = RunStatistics.read(handedOver.save(ledger));
  expect(shown).toEqual(whole.snapshot(ledger));
  expect(shown).toMatchObject({ durations: { count: 30 }, failures: [{ count: 10 }] });
  expect(shown?.workers.map(({ name }) => name)).toEqual([0, 1, 2, 3].map((n) => `worker ${n}`));
  expect(shown?.workers.flatMap(({ slices }) => slices)).toHaveLength(6);
});

it('that are damaged or of another version are none', () => {
  const other = gzipSync(JSON.stringify({ v: 2, startedAt: 0 }));
  for (const content of [other, Buffer.from('not compressed'), gzipSync('no JSON')]) {
    expect(RunStatistics.read(content)).toBeUndefined();
    const before = RunStatistics.of(newRunId(), Date.now, { before: content });
    expect(before.snapshot(new RunLedger())).toMatchObject({ durations: { count: 0 } });
  }
});
