import type { Statistics } from '../src/report/statistics.ts';
import { count, duration } from './format.ts';

const COLUMNS = 480;
const ROWS = 160;

/** How long the results took: a bar for each bucket, which is 9 % wider than the one before. */
export function Histogram({ durations }: { durations: Statistics['durations'] }) {
  const { histogram, p50, p95, p99, max } = durations;
  const [first] = histogram;
  if (!first) return null;
  // Buckets without durations have no entry, but a place.
  const placeOf = (to: number) => Math.round(Math.log(to / first.to) / Math.log(1.09));
  const last = placeOf(histogram.at(-1)?.to ?? first.to);
  const most = Math.max(...histogram.map((bar) => bar.count));
  const width = COLUMNS / Math.max(10, last + 1);
  const summary = `Half took up to ${duration(p50)}, 95 % up to ${duration(p95)}, 99 % up to ${duration(p99)}, the longest ${duration(max)}.`;
  return (
    <section>
      <h2>Durations</h2>
      <svg viewBox={`0 0 ${COLUMNS} ${ROWS}`} role="img" aria-label={summary} class="histogram">
        {histogram.map(({ to, count: results }) => {
          const height = Math.max(1, (results / most) * ROWS);
          return (
            <rect
              key={to}
              x={placeOf(to) * width}
              y={ROWS - height}
              width={Math.max(0.5, width - 1)}
              height={height}
            >
              <title>{`up to ${duration(to)}: ${count(results)}`}</title>
            </rect>
          );
        })}
      </svg>
      <p class="ends">
        <span>{duration(first.to)}</span>
        <span>{duration(max)}</span>
      </p>
      <p class="quiet">{summary}</p>
    </section>
  );
}
