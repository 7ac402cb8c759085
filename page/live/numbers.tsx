import type { Statistics } from '../../src/report/statistics.ts';
import type { LiveRun } from '../../src/ui/protocol.ts';
import { count, dollars, duration, perSecond, share } from '../format.ts';
import { type Tile, Tiles } from '../tiles.tsx';
import { inputsOf, Progress, ProgressKeys } from './progress.tsx';

interface NumbersProps {
  live: LiveRun;
  statistics: Statistics;
  /** Time since the snapshot, in milliseconds. */
  ageMs: number;
}

/** How far the run is, how fast, for how long, at which cost, and what limits it. */
export function Numbers({ live, statistics, ageMs }: NumbersProps) {
  const { ok, failed, cancelled, inputs: seeded } = statistics.ledger;
  const { inputs = seeded, limit } = live;
  const done = { ok, failed, cancelled, inputs, isOpen: live.inputs === undefined };
  const all = ok + failed + cancelled;
  const tiles: Tile[] = [
    ['Done', count(all), `of ${inputsOf(inputs, done.isOpen)}`],
    ['Failed', count(failed), all > 0 ? `${share(failed, all)} of those done` : 'inputs'],
    ...(cancelled > 0 ? [['Cancelled', count(cancelled), 'inputs'] satisfies Tile] : []),
    ...speed(live, statistics, ageMs),
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

function speed(live: LiveRun, statistics: Statistics, ageMs: number): Tile[] {
  const { state, rate, etaMs } = live;
  const { startedAt, at, ledger } = statistics;
  const took = Math.max(0, at - startedAt);
  if (startedAt === 0 || took === 0) return [];
  if (state === 'ended') {
    return [
      ['Rate', perSecond(((ledger.ok + ledger.failed) * 1_000) / took), 'on average'],
      ['Took', duration(took)],
    ];
  }
  return [
    ['Rate', rate === undefined ? '–' : perSecond(rate), 'of late'],
    ['Time left', etaMs === undefined ? '–' : duration(wholeSeconds(etaMs)), 'about'],
    ['Runs for', duration(wholeSeconds(took + ageMs)), 'since it was created'],
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
