import { expect, it } from 'vitest';
import { factsOf, factsOfEnded, jsonOf, rowOf } from '../../src/cli/run-facts.ts';
import type { RunStatus } from '../../src/index.ts';
import { endedBody, readEnded } from '../../src/pipeline/messages/ended.ts';
import { costOf } from '../../src/planning/cost.ts';
import { noUsage } from '../../src/planning/usage.ts';

const began = Date.parse('2026-11-25T10:00:00Z');
const run: RunStatus = {
  runId: '20261125T100000000-k3f9x2ab',
  task: 'resize',
  state: 'sealed',
  ...{ total: 600, ok: 120, failed: 3, output: undefined, waiting: 1 },
  createdAt: began,
  ...{ concurrency: undefined, rate: undefined, pausedAt: undefined, outage: undefined },
  expiresAt: began + 86_400_000,
  collectedAt: began + 60_000,
  collector: 'one',
  readAt: began + 72_000,
};
const left: RunStatus = { ...run, collectedAt: undefined, collector: undefined };
const fresh: RunStatus = {
  ...{ ...left, state: 'seeding', total: undefined, ok: 0, failed: 0, expiresAt: undefined },
};

it('the age of the collector’s counts is shown with them', () => {
  expect(factsOf(run)).toMatchObject({
    done: '123 of 600 done (120 ok, 3 failed), as of 12 s ago',
    began: '2026-11-25T10:00:00.000Z, 72 s ago',
    rate: '2.0/s since it began',
    results: '1 message not collected yet',
  });
  expect(rowOf(run)).toContain('as of 12 s ago');
  expect(factsOf(left).done).toContain('as of when its collector left');
  expect(factsOf(fresh).done).toBe('0 done (0 ok, 0 failed)');
});

it('what a collector that has just begun does not know yet is shown as such', () => {
  const began = { ...run, ok: 0, failed: 0, collectedAt: run.createdAt + 1_000 };
  expect(factsOf(began)).toMatchObject({ done: '? of 600 done', rate: '?' });
  expect(factsOf({ ...began, total: undefined }).done).toBe('? done');
  // Its second heartbeat has counts.
  const counted = { ...began, collectedAt: run.createdAt + 31_000 };
  expect(factsOf(counted).done).toMatch(/^0 of 600 done \(0 ok, 0 failed\), as of /);
  expect(factsOf(counted).rate).toBe('0.0/s since it began');
});

it('the bounds of a run are shown, and since when it is paused', () => {
  const paused = { ...run, concurrency: 50, rate: '20/s' as const, pausedAt: began + 62_000 };
  expect(factsOf(paused)).toMatchObject({
    bounds: 'at most 50 at once and 20/s',
    paused: 'since 2026-11-25T10:01:02.000Z, 10 s ago',
  });
  expect(rowOf(paused)).toMatch(/paused 10 s ago {2}at most 50 at once and 20\/s$/);
  expect(jsonOf(paused, false)).toMatchObject({
    ...{ concurrency: 50, rate: '20/s', paused: '2026-11-25T10:01:02.000Z' },
  });
  expect(factsOf(run)).toMatchObject({ bounds: 'none' });
  expect(Object.keys(factsOf(run))).not.toContain('paused');
});

it('a run that has paused itself says why', () => {
  const reason = '63 % of 412 inputs failed within 1m, last: Error: 503';
  const failing = { ...run, outage: { since: began + 62_000, reason } };
  expect(factsOf(failing)).toMatchObject({
    outage: `paused itself: ${reason}; it tries single inputs until they succeed; since 2026-11-25T10:01:02.000Z, 10 s ago`,
  });
  expect(rowOf(failing)).toMatch(/paused itself 10 s ago$/);
  expect(jsonOf(failing, false)).toMatchObject({
    ...{ paused: null, outage: reason, outageSince: '2026-11-25T10:01:02.000Z' },
  });
  expect(Object.keys(factsOf(run))).not.toContain('outage');
});

it('a run shows its cost limit, and that it has paused there', () => {
  const costLimit = { usd: 5, pauses: true };
  expect(factsOf({ ...run, costLimit })).toMatchObject({
    'cost limit': '$5.00, at which it pauses',
  });
  expect(jsonOf({ ...run, costLimit }, false).maxCostUsd).toBe(5);
  const reached = { ...costLimit, reachedUsd: 4.81 };
  const paused = factsOf({ ...run, costLimit: reached, pausedAt: run.readAt - 5_000 });
  expect(paused.paused).toMatch(
    /^since .*: it reached its cost limit of \$5.00, with \$4.81 metered/,
  );
  expect(factsOf(run)).not.toHaveProperty('cost limit');
});

it('a run on AWS shows what it has cost so far, and one that has ended what it cost in all', () => {
  const counted = { ...noUsage(), gbSeconds: { arm64: 30_000, x86_64: 0 } };
  const metered = { ...run, cost: costOf('us-east-1', counted) };
  expect(factsOf(metered).cost).toBe('$0.40 so far, about $1.95 in all');
  const cheap = { ...noUsage(), gbSeconds: { arm64: 0.1, x86_64: 0 } };
  const costing = (isLeast: boolean) => costOf('us-east-1', { ...cheap, isLeast });
  expect(factsOf({ ...run, cost: costing(false) }).cost).toBe(
    'less than $0.0001 so far, less than $0.0001 in all',
  );
  expect(factsOf({ ...run, cost: costing(true) }).cost).toMatch(/^more than \$0 so far/);
  expect(jsonOf(metered, false).costUsd).toBeCloseTo(0.4, 3);
  expect(Object.keys(factsOf(run))).not.toContain('cost');
  const unknown = { ...run, cost: costOf('mars-1', counted) };
  expect(factsOf(unknown).cost).toContain('The prices of mars-1 are not known here');
  expect(jsonOf(unknown, false).costUsd).toBeNull();
  const body = endedBody({
    ...{ runId: run.runId, task: 'resize', total: 1, ok: 1, failed: 0, cancelled: 0, elsewhere: 0 },
    ...{ cause: undefined, collector: 'one', cost: metered.cost },
  });
  const ended = readEnded(body) ?? expect.fail();
  const at = { createdAt: began, endedAt: began, readAt: began };
  expect(factsOfEnded({ ...ended, ...at }).cost).toMatch(/^\$0\.40 as metered \(Lambda \$0\.40\)/);
});

it('a run has the same JSON keys in every state', () => {
  expect(jsonOf(run, false)).toEqual({
    runId: run.runId,
    task: 'resize',
    state: 'sealed',
    ...{ inputs: 600, ok: 120, failed: 3, done: 123, cancelled: 0, elsewhere: 0 },
    ...{ ended: null, cause: null },
    ...{ concurrency: null, rate: null, paused: null, outage: null, outageSince: null },
    uncollectedMessages: 1,
    collector: 'one',
    began: '2026-11-25T10:00:00.000Z',
    deadline: '2026-11-26T10:00:00.000Z',
    ...{ output: null, costUsd: null, maxCostUsd: null },
    countedAt: '2026-11-25T10:01:00.000Z',
    readAt: '2026-11-25T10:01:12.000Z',
    ...{ cancelled: 0, elsewhere: 0, ended: null, cause: null },
  });
  const keys = Object.keys(jsonOf(run, false));
  for (const one of [left, fresh]) {
    const printed = JSON.parse(JSON.stringify(jsonOf(one, true)));
    expect(Object.keys(printed)).toEqual(keys);
    expect(printed).toMatchObject({ state: 'over', collector: null, countedAt: null });
  }
});
