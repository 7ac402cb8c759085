import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import type { Statistics } from '../src/report/statistics.ts';
import { duration, perSecond } from './format.ts';
import { colours, useScheme } from './scheme.ts';

const HEIGHT = 220;

interface Line {
  label: string;
  colour: 'ok' | 'failed' | 'third';
  values: (number | null)[];
  isFilled?: boolean;
}

interface TimeChartProps {
  title: string;
  /** What the chart shows, in words. */
  summary: string;
  /** Seconds since the run's start. */
  seconds: number[];
  lines: Line[];
  unit: (value: number) => string;
}

/** Results per second, over the time of the run. */
export function Throughput({ statistics }: { statistics: Statistics }) {
  const { series, stepMs } = statistics;
  const rate = (results: number) => (results * 1_000) / stepMs;
  const most = Math.max(...series.map(({ ok, failed }) => rate(ok + failed)));
  return (
    <TimeChart
      title="Throughput"
      summary={`Results per second over the run's time; at most ${perSecond(most)}.`}
      seconds={secondsOf(statistics)}
      lines={[
        { label: 'ok', colour: 'ok', values: series.map(({ ok }) => rate(ok)), isFilled: true },
        { label: 'failed', colour: 'failed', values: series.map(({ failed }) => rate(failed)) },
      ]}
      unit={perSecond}
    />
  );
}

/** Durations of the results, over the time at which they ended. */
export function Latencies({ statistics }: { statistics: Statistics }) {
  const { series, durations } = statistics;
  return (
    <TimeChart
      title="Durations over time"
      summary={`Median and 95th percentile over the run's time; of all, ${duration(durations.p50)} and ${duration(durations.p95)}.`}
      seconds={secondsOf(statistics)}
      lines={[
        { label: 'median', colour: 'ok', values: series.map(({ p50 }) => p50 ?? null) },
        { label: '95 %', colour: 'third', values: series.map(({ p95 }) => p95 ?? null) },
      ]}
      unit={duration}
    />
  );
}

function secondsOf({ series, startedAt }: Statistics): number[] {
  return series.map(({ at }) => (at - startedAt) / 1_000);
}

function TimeChart({ title, summary, seconds, lines, unit }: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot>(null);
  const scheme = useScheme();
  const data: uPlot.AlignedData = [seconds, ...lines.map(({ values }) => values)];
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const { text, grid, ...tones } = colours(scheme);
    const axis = { stroke: text, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid } };
    const chart = new uPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        // Space for half of the last time.
        padding: [null, 32, null, null],
        scales: { x: { time: false }, y: { range: (_, __, max) => [0, max > 0 ? max * 1.05 : 1] } },
        axes: [
          { ...axis, space: 90, values: (_, ticks) => ticks.map((tick) => duration(tick * 1_000)) },
          {
            ...axis,
            size: 76,
            values: (_, ticks) => ticks.map((tick) => (tick ? unit(tick) : '0')),
          },
        ],
        series: [
          { label: 'time', value: (_, at) => (at === null ? '' : duration(at * 1_000)) },
          ...lines.map(({ label, colour, isFilled }) => ({
            label,
            stroke: tones[colour],
            width: 1.5,
            ...(isFilled ? { fill: `${tones[colour]}33` } : {}),
            // Slow inputs end in few of the steps.
            spanGaps: true,
            points: { show: ({ data: [times] }: uPlot) => times.length < 3 },
            value: (_: uPlot, value: number | null) => (value === null ? '' : unit(value)),
          })),
        ],
      },
      data,
      element,
    );
    drawn.current = chart;
    const resize = new ResizeObserver(() =>
      chart.setSize({ width: element.clientWidth, height: HEIGHT }),
    );
    resize.observe(element);
    return () => {
      resize.disconnect();
      chart.destroy();
    };
    // The lines of a chart are always the same ones; only their values change.
  }, [scheme]);
  useEffect(() => {
    if (drawn.current) update(drawn.current, data);
  }, [seconds, lines]);
  return (
    <section>
      <h2>{title}</h2>
      <div ref={place} role="img" aria-label={summary} />
    </section>
  );
}

/** Shows newer values, and keeps the part of the time that the reader has zoomed to. */
function update(chart: uPlot, data: uPlot.AlignedData): void {
  const { min = 0, max = 0 } = chart.scales.x ?? {};
  const [times] = chart.data;
  const isZoomed = (min ?? 0) > (times[0] ?? 0) || (max ?? 0) < (times.at(-1) ?? 0);
  chart.batch(() => {
    chart.setData(data, !isZoomed);
    if (isZoomed) chart.setScale('x', { min: min ?? 0, max: max ?? 0 });
  });
}
