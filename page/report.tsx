import type { ComponentChildren } from 'preact';
import type { InputDetail, ReportData } from '../src/report/report-data.ts';
import type { Statistics } from '../src/report/statistics.ts';
import { Detail } from './detail.tsx';
import { Failures } from './failures.tsx';
import { Find } from './find.tsx';
import { count, duration, perSecond, share, time } from './format.ts';
import { Histogram } from './histogram.tsx';
import { type Tile, Tiles } from './tiles.tsx';
import { Latencies, Throughput } from './time-chart.tsx';
import { Timeline } from './timeline.tsx';
import { WorkerTable } from './worker-table.tsx';

/** All that is known of a run, on one page. */
export function Report({ data }: { data: ReportData }) {
  const { task, runId, place, cause, missing, statistics } = data;
  const known = detailsOf(data);
  const { startedAt, at } = statistics;
  return (
    <>
      <header>
        <h1>
          <span class="quiet">Run of</span> {task}
        </h1>
        <p class="quiet">
          {runId ? <code>{runId}</code> : 'An earlier run'}
          {place ? ` on ${place}` : ' on this machine'}
          {startedAt > 0 ? `, started ${time(startedAt)}, took ${duration(at - startedAt)}` : ''}
        </p>
        {cause ? <p class="notice">It ended early: {cause}.</p> : null}
        {missing.map((sentence) => (
          <p class="notice" key={sentence}>
            {sentence}
          </p>
        ))}
      </header>
      <main>
        <Tiles tiles={tilesOf(statistics)} />
        <Find known={known} statistics={statistics} />
        <Views statistics={statistics} link={(index) => shown(index, known.get(index))} />
      </main>
    </>
  );
}

/** What is known of inputs that failed, by their indexes. */
function detailsOf({ inputs = [], samples = [] }: ReportData): Map<number, InputDetail> {
  const nothing = { error: undefined, ms: undefined, worker: undefined, attempts: undefined };
  const others = { output: undefined, logLink: undefined, missing: [] };
  const details = new Map<number, InputDetail>();
  for (const sample of samples) {
    details.set(sample.index, { ...others, ...sample, status: 'failed', input: undefined });
  }
  for (const [index, input] of inputs) {
    const known = details.get(index) ?? { ...nothing, ...others, index, log: [] };
    details.set(index, { ...known, status: 'failed', input });
  }
  return details;
}

/** An input's index, which opens to what is known of the input. */
function shown(index: number, detail: InputDetail | undefined): ComponentChildren {
  if (detail === undefined) return index;
  return (
    <details>
      <summary>{index}</summary>
      <Detail {...detail} />
    </details>
  );
}

interface ViewsProps {
  statistics: Statistics;
  /** Links an input's index to what is known of it. @default the index as text */
  link?: ((index: number) => ComponentChildren) | undefined;
}

/** Where the time of a run went, and what failed. */
export function Views({ statistics, link }: ViewsProps) {
  return (
    <>
      {statistics.series.length > 0 ? (
        <div class="pair">
          <Throughput statistics={statistics} />
          <Latencies statistics={statistics} />
        </div>
      ) : null}
      <Timeline statistics={statistics} />
      <div class="pair">
        <Histogram durations={statistics.durations} />
        <WorkerTable workers={statistics.workers} />
      </div>
      <Failures failures={statistics.failures} failed={statistics.ledger.failed} link={link} />
    </>
  );
}

function tilesOf({ ledger, durations, startedAt, at, workers }: Statistics): Tile[] {
  const { inputs, ok, failed, cancelled } = ledger;
  const seconds = (at - startedAt) / 1_000;
  const tiles: Tile[] = [
    ['Inputs', count(inputs)],
    ['Ok', count(ok), share(ok, inputs)],
    ['Failed', count(failed), share(failed, inputs)],
  ];
  if (cancelled > 0) tiles.push(['Cancelled', count(cancelled), share(cancelled, inputs)]);
  if (startedAt > 0 && seconds > 0) {
    tiles.push(['Throughput', perSecond((ok + failed) / seconds), 'on average']);
  }
  if (durations.count > 0) {
    tiles.push([
      'Duration',
      duration(durations.p50),
      `median; 95 % up to ${duration(durations.p95)}`,
    ]);
  }
  if (workers.length > 0) tiles.push(['Workers', count(workers.length)]);
  return tiles;
}
