import type { Statistics } from '../../src/report/statistics.ts';
import type { LiveRun } from '../../src/ui/protocol.ts';
import { count, dollars, duration, perSecond, share } from '../format.ts';
import { type Tile, Tiles } from '../tiles.tsx';
import { Progress, ProgressKeys } from './progress.tsx';

/** How far the run is, how fast, for how long, at which cost, and what limits it. */
export function Numbers({ live, statistics }: { live: LiveRun; statistics: Statistics }) {
  const { ok, failed, cancelled } = statistics.ledger;
  const { inputs, isSealed, limit } = live;
  const done = { ok, failed, cancelled, inputs, isSealed };
  const all = ok + failed + cancelled;
  const tiles: Tile[] = [
    ['Done', count(all), ofAll(live)],
    ['Failed', count(failed), all > 0 ? `${share(failed, all)} of those done` : 'inputs'],
    ...(cancelled > 0 ? [['Cancelled', count(cancelled), 'inputs'] satisfies Tile] : []),
    ...speed(live, statistics),
    ...cost(live),
  ];
  return (
    <section class="numbers">
      <h2 class="unseen">Progress</h2>
      <Progress {...done} />
      <ProgressKeys {...done} />
      <Tiles tiles={tiles} />
      {limit ? (
        <p class="limit">
          <strong>What limits it</strong> {limit}
        </p>
      ) : null}
    </section>
  );
}

function ofAll({ inputs, isSealed }: LiveRun): string {
  if (inputs === undefined) return 'inputs, of an unknown number';
  return `of ${count(inputs)}${isSealed ? '' : ' or more'} inputs`;
}

function speed({ state, rate, etaMs }: LiveRun, { startedAt, at, ledger }: Statistics): Tile[] {
  const took = startedAt > 0 ? Math.max(0, at - startedAt) : undefined;
  const rounded = took === undefined ? undefined : duration(wholeSeconds(took));
  if (state === 'ended') {
    if (took === undefined || took === 0) return [];
    const mean = perSecond(((ledger.ok + ledger.failed) * 1_000) / took);
    return [
      ['Rate', mean, 'on average'],
      ['Took', duration(took)],
    ];
  }
  return [
    ['Rate', rate === undefined ? '–' : perSecond(rate), 'of late'],
    ['Time left', etaMs === undefined ? '–' : duration(wholeSeconds(etaMs)), 'about'],
    ...(rounded === undefined
      ? []
      : [['Runs for', rounded, 'since it was created'] satisfies Tile]),
  ];
}

/** So that no digits change for nothing. */
function wholeSeconds(ms: number): number {
  return ms < 10_000 ? Math.ceil(ms / 100) * 100 : Math.ceil(ms / 1_000) * 1_000;
}

function cost({ usd, usdInAll }: LiveRun): Tile[] {
  if (usd === undefined) return [];
  const note = usdInAll === undefined ? 'so far' : `so far; about ${dollars(usdInAll)} in all`;
  return [['Cost', dollars(usd), note]];
}
