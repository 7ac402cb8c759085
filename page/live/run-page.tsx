import { useEffect, useState } from 'preact/hooks';
import { type ReportData, unpacked } from '../../src/report/report-data.ts';
import type { LiveRun } from '../../src/ui/protocol.ts';
import { time } from '../format.ts';
import { Views } from '../report.tsx';
import { Bar } from './bar.tsx';
import { Controls } from './controls.tsx';
import { follow } from './follow.ts';
import { Input } from './input.tsx';
import { LastInputs } from './last-inputs.tsx';
import { Lost } from './lost.tsx';
import { Numbers } from './numbers.tsx';
import { linkTo } from './place.ts';
import { Search } from './search.tsx';
import { State, stateWord } from './state.tsx';
import { Title } from './title.tsx';

interface Known {
  live: LiveRun;
  /** Its report, with the spans as objects. */
  report: ReportData;
}

interface RunPageProps {
  runId: string;
  /** The input that is open. */
  input: number | undefined;
  onLocked: () => void;
}

/** One run, live. */
export function RunPage({ runId, input, onLocked }: RunPageProps) {
  const [known, setKnown] = useState<Known>();
  const [isLost, setLost] = useState(false);
  const [hasEnded, setEnded] = useState(false);
  const [gone, setGone] = useState<string>();
  useEffect(
    () =>
      follow(runId, {
        onRun(live) {
          setKnown({ live, report: unpacked(live.report) });
          setLost(false);
        },
        onEnd: () => setEnded(true),
        onLost: () => setLost(true),
        onGone: setGone,
        onLocked,
      }),
    [runId],
  );
  const state = known && stateWord(known.live.state, known.live.because);
  useEffect(() => {
    document.title = known ? `${state}: ${known.report.task}` : 'Fanfold: run';
  }, [state, known?.report.task]);
  return (
    <>
      <Bar
        line={isLost ? 'disconnected' : hasEnded || gone ? undefined : known ? 'live' : 'loading'}
      />
      <Announced text={isLost ? 'Disconnected.' : state && `The run: ${state}.`} />
      {gone ? <p class="notice">{gone}</p> : null}
      {isLost ? <Lost why="The numbers are those of the last connection." /> : null}
      {known ? (
        <Shown {...known} runId={runId} isLost={isLost} />
      ) : (
        <h1 tabIndex={-1}>{gone ? 'Unknown run' : 'Loading the run…'}</h1>
      )}
      {input === undefined ? null : <Input key={input} runId={runId} index={input} />}
    </>
  );
}

/** Tells screen readers of a change of state: numbers change too often for that. */
function Announced({ text }: { text: string | undefined }) {
  return (
    <p role="status" class="unseen">
      {text}
    </p>
  );
}

function Shown({ live, report, runId, isLost }: Known & { runId: string; isLost: boolean }) {
  const { state, because, can } = live;
  const { statistics, task, place, missing } = report;
  const { startedAt, ledger } = statistics;
  const isBegun = ledger.ok + ledger.failed > 0;
  const indexLink = can.includes('inputs')
    ? (index: number) => <a href={linkTo(runId, index)}>{index}</a>
    : undefined;
  return (
    <>
      <header>
        <p class="run-title">
          <Title>
            <span class="quiet">Run of</span> {task}
          </Title>
          <State state={state} word={stateWord(state, because)} />
        </p>
        <p class="quiet">
          <code>{runId}</code>
          {place ? ` on ${place}` : ' on this machine'}
          {startedAt > 0 ? `, started ${time(startedAt)}` : ''}
        </p>
        {because ? <p class="notice">{because}</p> : null}
        {missing.map((sentence) => (
          <p class="notice about" key={sentence}>
            {sentence}
          </p>
        ))}
      </header>
      <main>
        <AgingNumbers live={live} report={report} isLost={isLost} />
        <div class="actions">
          <Controls runId={runId} live={live} />
          {can.includes('inputs') ? <Search runId={runId} inputs={live.inputs} /> : null}
        </div>
        {isBegun || missing.length > 0 || state === 'ended' ? null : (
          <section class="empty">
            <h2>No results to draw yet</h2>
            <p class="quiet">Charts and the timeline appear with the first results.</p>
          </section>
        )}
        <LastInputs left={statistics.left} link={indexLink} />
        <Views statistics={statistics} link={indexLink} />
      </main>
    </>
  );
}

/** A part of its own, so that a second that passes draws nothing else anew. */
function AgingNumbers({ isLost, ...known }: Known & { isLost: boolean }) {
  const ageMs = useAge(known, isLost);
  return <Numbers live={known.live} statistics={known.report.statistics} ageMs={ageMs} />;
}

/** Milliseconds since the latest snapshot, each second while the run goes on. */
function useAge({ live }: Known, isLost: boolean): number {
  const [age, setAge] = useState({ live, ms: 0 });
  useEffect(() => {
    if (isLost || live.state === 'ended') return;
    const from = performance.now();
    const tick = () => setAge({ live, ms: performance.now() - from });
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, [live, isLost]);
  return age.live === live ? age.ms : 0;
}
