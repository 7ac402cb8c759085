import { expect, it, vi } from 'vitest';
import { newRunId } from '../../src/pipeline/names.ts';
import { type RunStatus, statusFrom } from '../../src/pipeline/run/status.ts';
import { Series } from '../../src/report/series.ts';
import { Sketch } from '../../src/report/sketch.ts';
import { type Statistics, statisticsOf } from '../../src/report/statistics.ts';
import { Workers } from '../../src/report/workers.ts';
import { DeploymentRuns, type Place } from '../../src/ui/deployment-runs.ts';

const runId = newRunId(1_000_000);

/** A place with one run, which a test changes. */
function placeOf(
  status: () => RunStatus | undefined,
  statistics: () => Statistics | undefined = () => undefined,
) {
  const settings = async () => {
    const { concurrency, rate, pausedAt, outage, expiresAt } = statusFrom(runId, {}, 0);
    return { concurrency, rate, pausedAt, outage, expiresAt };
  };
  const place: Place = {
    async *runs() {
      const run = status();
      if (run) yield run;
    },
    endedRuns: async () => undefined,
    status: async () => status(),
    statistics: async () => statistics(),
    result: async () => undefined,
    backlog: async () => ({ waiting: 3, delayed: 0, inFlight: 0 }),
    cancel: async () => ({ byCollector: true }),
    ...{ pause: settings, unpause: settings, set: settings },
  };
  return new DeploymentRuns(place, {
    ...{ name: 'stack photos', everyMs: 0 },
    logLink: async (_, index) => `link to ${index}`,
  });
}

it('tells rate and rest from what the collector counts, and that the run has ended', async () => {
  const tags = { task: 'resize', state: 'sealed', total: 100, failed: 0 } as const;
  const at = (ms: number, ok: number) =>
    statusFrom(
      runId,
      { ...tags, ok, collectedAt: 1_000_000 + ms, collector: 'me' },
      1_000_000 + ms,
    );
  let status: RunStatus | undefined = at(10_000, 20);
  const runs = placeOf(() => status);
  expect(await runs.look(runId)).toMatchObject({ state: 'running', rate: 2, etaMs: 40_000 });
  status = at(20_000, 60);
  const live = await runs.look(runId);
  expect(live).toMatchObject({
    rate: 4,
    etaMs: 10_000,
    limit: expect.stringContaining('3 chunks'),
  });
  expect(live.report.missing[0]).toContain('fanfold run --ui');
  await runs.cancel(runId);
  expect(await runs.look(runId)).toMatchObject({ state: 'cancelling', can: ['inputs'] });
  status = undefined;
  expect(await runs.look(runId)).toMatchObject({
    ...{ state: 'ended', because: expect.stringContaining('cancelled') },
    report: { statistics: { ledger: { inputs: 100, ok: 60 } } },
  });
  await expect(runs.pause(runId)).rejects.toMatchObject({ code: 'UnknownRun' });
});

it('shows the statistics that the collector has published, which may be newer than its counts', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const tags = { task: 'resize', state: 'sealed', total: 100, ok: 20, failed: 0 } as const;
  const beat = { ...tags, collectedAt: 1_010_000, collector: 'me' };
  let status: RunStatus | undefined = statusFrom(runId, beat, 1_021_000);
  let published = statisticsAt(1_020_000, 60);
  const runs = placeOf(
    () => status,
    () => published,
  );
  const live = await runs.look(runId);
  expect(live).toMatchObject({ rate: 3, report: { statistics: { ledger: { ok: 60 } } } });
  expect(live.report.statistics.series.reduce((sum, { ok }) => sum + ok, 0)).toBe(60);
  expect(live.report.statistics.workers).toMatchObject([{ name: 'w', ok: 60 }]);
  expect(live.report.missing).toEqual([expect.stringContaining('every 30 s')]);
  // Of the hundred inputs, the newer sixty are done.
  expect(live.limit).toContain('3 chunks');
  expect(await runs.input(runId, 7)).toMatchObject({ status: 'failed', logLink: 'link to 7' });
  expect(await runs.input(runId, 8)).toMatchObject({ status: 'unknown', error: undefined });
  expect((await runs.input(runId, 100)).missing).toEqual([expect.stringContaining('has 100')]);
  // Its queue is gone: what was published last is read, although the reading before is new.
  published = statisticsAt(1_030_000, 90);
  status = undefined;
  const ended = await runs.look(runId);
  expect(ended.state).toBe('ended');
  expect(ended.report.statistics.workers).toMatchObject([{ name: 'w', ok: 90 }]);
  vi.useRealTimers();
});

function statisticsAt(at: number, ok: number): Statistics {
  const [durations, series, workers] = [new Sketch(), new Series(), new Workers()];
  const [from, to] = [at - 10, at];
  series.add({ from, to, ok, failed: 0, durations: [] });
  workers.add('w', { from, to, ok, failed: 0 }, 10);
  const ledger = { inputs: 100, ok, failed: 0, cancelled: 0, sealed: true };
  const known = { startedAt: 1_000_000, at, durations, ranMs: 10, series, workers };
  const failures = [{ code: 'TaskFailed', message: 'Error: odd', count: 1, indexes: [7] }];
  return statisticsOf(ledger, { ...known, failures });
}

it('refuses runs that are not there, and ids that are none', async () => {
  const runs = placeOf(() => undefined);
  await expect(runs.look(runId)).rejects.toMatchObject({ code: 'UnknownRun' });
  await expect(runs.look('fanfold-tasks')).rejects.toMatchObject({ code: 'BadOption' });
  await expect(runs.pause('fanfold-tasks')).rejects.toMatchObject({ code: 'BadOption' });
});
