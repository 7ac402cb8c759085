import 'uplot/dist/uPlot.min.css';
import './style.css';
import './detail.css';
import './live.css';
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ask, isLocked } from './live/api.ts';
import { Entrance } from './live/entrance.tsx';
import { takeToken, usePlace } from './live/place.ts';
import { Runs } from './live/run-list.tsx';
import { RunPage } from './live/run-page.tsx';

/** Whether this browser may see the runs; `asking` until the server has said so. */
type Access = 'asking' | 'granted' | 'locked';

const token = takeToken();
/** After that, people go back to the list because they want to see it. */
let hasShownRun = token === undefined;

/** The deployment's runs, or one of them, for those who have the token. */
function Live() {
  const [access, setAccess] = useState<Access>(token === undefined ? 'granted' : 'asking');
  const [why, setWhy] = useState<string>();
  const { runId, input } = usePlace();
  useEffect(() => {
    if (token === undefined) return;
    enter(token).then(
      () => setAccess('granted'),
      (error: Error) => {
        setWhy(error.message);
        setAccess('locked');
      },
    );
  }, []);
  const onLocked = () => {
    setWhy(undefined);
    setAccess('locked');
  };
  if (access === 'asking') return <p class="quiet">Opening…</p>;
  if (access === 'locked') return <Entrance why={why} onEnter={() => setAccess('granted')} />;
  if (runId === undefined) return <Runs opensOnly={!hasShownRun} onLocked={onLocked} />;
  hasShownRun = true;
  return <RunPage key={runId} runId={runId} input={input} onLocked={onLocked} />;
}

/** Trades the token for a cookie. One that was used may be that of a browser that has its cookie. */
async function enter(given: string): Promise<void> {
  try {
    await ask('session', { token: given });
  } catch (error) {
    if (!isLocked(error)) throw error;
    await ask('runs').catch(() => {
      throw error;
    });
  }
}

const root = document.getElementById('root');
if (root) render(<Live />, root);
