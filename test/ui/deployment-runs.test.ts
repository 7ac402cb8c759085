import { expect, it } from 'vitest';
import { newRunId } from '../../src/pipeline/names.ts';
import { type RunStatus, statusFrom } from '../../src/pipeline/run/status.ts';
import { DeploymentRuns, type Place } from '../../src/ui/deployment-runs.ts';

const runId = newRunId(1_000_000);

/** A place with one run, which a test changes. */
function placeOf(status: () => RunStatus | undefined) {
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
    backlog: async () => ({ waiting: 3, delayed: 0, inFlight: 0 }),
    cancel: async () => ({ byCollector: true }),
    ...{ pause: settings, unpause: settings, set: settings },
  };
  return new DeploymentRuns(place, { name: 'stack photos', everyMs: 0 });
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
  expect(await runs.look(runId)).toMatchObject({ state: 'cancelling', can: [] });
  status = undefined;
  expect(await runs.look(runId)).toMatchObject({
    ...{ state: 'ended', because: expect.stringContaining('cancelled') },
    report: { statistics: { ledger: { inputs: 100, ok: 60 } } },
  });
  await expect(runs.pause(runId)).rejects.toMatchObject({ code: 'UnknownRun' });
});

it('refuses runs that are not there, and ids that are none', async () => {
  const runs = placeOf(() => undefined);
  await expect(runs.look(runId)).rejects.toMatchObject({ code: 'UnknownRun' });
  await expect(runs.look('fanfold-tasks')).rejects.toMatchObject({ code: 'BadOption' });
  await expect(runs.pause('fanfold-tasks')).rejects.toMatchObject({ code: 'BadOption' });
});
