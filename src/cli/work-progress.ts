import type { Work } from '../index.ts';
import { canRedraw, showLine } from './live-line.ts';
import { count, rateText, say } from './log.ts';

/** Display of the workers' progress, until it is stopped. */
export interface Shown {
  /** Prints a permanent message, also after `stop`, while the last inputs finish. */
  say(message: string): void;
  stop(): void;
}

const LINE_MS = 5_000;
const UPDATE_MS = 500;

/** Updates one line on a terminal, or else prints a line every few seconds if something changed. */
export function showWork(work: Work): Shown {
  const rate = rates(work);
  if (!canRedraw()) return lines(work, rate);
  return { say, ...showLine(() => textOf(work, rate()), UPDATE_MS) };
}

function lines(work: Work, rate: () => number): Shown {
  let reported = 0;
  const timer = setInterval(() => {
    const now = doneOf(work);
    const current = rate();
    if (now === reported) return;
    reported = now;
    say(textOf(work, current));
  }, LINE_MS);
  return { say, stop: () => clearInterval(timer) };
}

function textOf(work: Work, rate: number): string {
  const { left, done } = work;
  const failed = done.failed > 0 ? `, ${count(done.failed, 'attempt')} failed` : '';
  const chunks =
    left === undefined ? 'the server does not respond' : `${count(left, 'chunk')} left`;
  return `${count(doneOf(work), 'input')} done, ${rateText(rate)}/s${failed}, ${chunks}`;
}

function doneOf({ done: { ok, failed } }: Work): number {
  return ok + failed;
}

/** Measures the inputs per second over the last few seconds. */
function rates(work: Work): () => number {
  let marks = [{ at: performance.now(), done: doneOf(work) }];
  return () => {
    const now = { at: performance.now(), done: doneOf(work) };
    const recent = marks.findIndex(({ at }) => now.at - at < LINE_MS);
    const oldest = marks[recent < 0 ? marks.length - 1 : Math.max(0, recent - 1)] ?? now;
    marks = [...marks.filter(({ at }) => at >= oldest.at), now];
    return now.at > oldest.at ? ((now.done - oldest.done) / (now.at - oldest.at)) * 1000 : 0;
  };
}
