import type { Backlog, Run } from '../index.ts';
import type { Place } from './place.ts';
import { count, say } from './say.ts';

const LOOK_MS = 5_000;

/** Looks in a row that find chunks waiting and no worker at any, until that is said. */
const IDLE_LOOKS = 2;
/** On AWS workers take their time to start, and counts are behind. */
const IDLE_LOOKS_AWS = 12;

/** Says why nothing comes from a run elsewhere: nobody answers there, or nobody works there. */
export function tellWhyQuiet(run: Run, { fanfold, name }: Place): { stop(): void } {
  const isStack = name.startsWith('stack ');
  const done = () => run.ledger.ok + run.ledger.failed;
  let last = done();
  let isAway = false;
  let idle = 0;
  let isStopped = false;
  const there = () => {
    if (isAway) say(`${name} answers again`);
    isAway = false;
  };
  const see = ({ waiting, inFlight }: Backlog) => {
    there();
    idle = waiting > 0 && inFlight === 0 ? idle + 1 : 0;
    if (idle !== (isStack ? IDLE_LOOKS_AWS : IDLE_LOOKS)) return;
    const remedy = isStack
      ? "the worker function's log tells why"
      : `\`fanfold work --${name}\` takes them`;
    say(`nothing comes: ${count(waiting, 'chunk')} waiting, and no worker has one; ${remedy}`);
  };
  const fail = (error: unknown) => {
    if (!isAway) say(`${name} does not answer (${reasonOf(error)}): waiting for it`);
    isAway = true;
  };
  const look = async () => {
    if (done() !== last) {
      last = done();
      idle = 0;
      there();
      return;
    }
    const seen = await fanfold.backlog().then(
      (backlog) => () => see(backlog),
      (error: unknown) => () => fail(error),
    );
    if (!isStopped) seen();
  };
  let timer = setTimeout(next, LOOK_MS);
  function next(): void {
    void look().then(() => {
      if (!isStopped) timer = setTimeout(next, LOOK_MS);
    });
  }
  return {
    stop() {
      isStopped = true;
      clearTimeout(timer);
      // It may have come back, and ended the run, since the last look.
      if (done() !== last) there();
    },
  };
}

/** Such as `ECONNREFUSED`; the message of an error with several causes is empty. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
