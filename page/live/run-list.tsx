import { useEffect, useState } from 'preact/hooks';
import type { ListedRun, RunList } from '../../src/ui/protocol.ts';
import { count, time } from '../format.ts';
import { ask, isLocked } from './api.ts';
import { Bar } from './bar.tsx';
import { Lost } from './lost.tsx';
import { linkTo } from './place.ts';
import { inputsOf, Progress } from './progress.tsx';
import { State } from './state.tsx';
import { Title } from './title.tsx';

/** Interval of looks at the list, in milliseconds: on AWS, each costs requests. */
const LOOK_MS = 3_000;

interface RunsProps {
  /** Whether to open the only run: a command that runs one shows no other. */
  opensOnly: boolean;
  onLocked: () => void;
}

/** The runs of a deployment, the newest first. */
export function Runs({ opensOnly, onLocked }: RunsProps) {
  const [list, setList] = useState<RunList>();
  const [lost, setLost] = useState<string>();
  useEffect(() => {
    document.title = 'Fanfold: runs';
    let timer: ReturnType<typeof setTimeout>;
    let isOver = false;
    const show = (known: RunList) => {
      const [only, ...others] = known.runs;
      if (opensOnly && only && others.length === 0) location.replace(linkTo(only.runId));
      else setList(known);
    };
    const look = async () => {
      try {
        const known = document.hidden ? undefined : await (await ask('runs')).json();
        if (isOver) return;
        if (known) show(known as RunList);
        setLost(undefined);
      } catch (error) {
        if (isOver) return;
        if (isLocked(error)) return onLocked();
        setLost((error as Error).message);
      }
      timer = setTimeout(look, LOOK_MS);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, []);
  return (
    <>
      <Bar line={lost ? 'disconnected' : list ? 'live' : 'loading'} />
      <header>
        <Title>Runs</Title>
        <p class="quiet">{list ? `on ${list.place ?? 'this machine'}` : 'Loading…'}</p>
      </header>
      {lost ? <Lost why={lost} /> : null}
      <main>{list ? <List runs={list.runs} /> : null}</main>
    </>
  );
}

function List({ runs }: { runs: ListedRun[] }) {
  if (runs.length === 0) {
    return (
      <section class="empty">
        <h2>No runs yet</h2>
        <p class="quiet">
          Start one: <code>fanfold run TASK INPUTS</code>. It appears here by itself.
        </p>
      </section>
    );
  }
  const sorted = runs.toSorted((one, other) => other.createdAt - one.createdAt);
  return (
    <ul class="runs">
      {sorted.map((run) => (
        <li key={run.runId}>
          <a class="card" href={linkTo(run.runId)}>
            <span class="run-title">
              <strong>{run.task}</strong>
              <State state={run.state} />
            </span>
            <Progress {...run} inputs={run.inputs ?? 0} isOpen={!run.isSealed} />
            <small>
              {countsOf(run)}
              <br />
              <code>{run.runId}</code>
              {run.createdAt > 0 ? `, started ${time(run.createdAt)}` : ''}
            </small>
          </a>
        </li>
      ))}
    </ul>
  );
}

function countsOf({ ok, failed, cancelled, inputs, isSealed }: ListedRun): string {
  const done = ok + failed + cancelled;
  const counts = [
    inputs === undefined
      ? `${count(done)} inputs done`
      : `${count(done)} of ${inputsOf(inputs, !isSealed)} done`,
    failed > 0 ? `${count(failed)} failed` : '',
    cancelled > 0 ? `${count(cancelled)} cancelled` : '',
  ];
  return counts.filter(Boolean).join(', ');
}
