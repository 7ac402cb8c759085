import type { Work } from '../index.ts';
import { canRedraw, showLine } from './live-line.ts';
import { count, say } from './log.ts';
import { RecentRate, rateText } from './recent-rate.ts';

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
  const rate = new RecentRate(() => doneOf(work), LINE_MS);
  if (!canRedraw()) return lines(work, rate);
  return { say, ...showLine(() => textOf(work, rate.perSecond()), UPDATE_MS) };
}

function lines(work: Work, rate: RecentRate): Shown {
  let reported = 0;
  const timer = setInterval(() => {
    const now = work.done.attempts;
    const current = rate.perSecond();
    if (now === reported) return;
    reported = now;
    say(textOf(work, current));
  }, LINE_MS);
  return { say, stop: () => clearInterval(timer) };
}

function textOf(work: Work, rate: number): string {
  const { left, done } = work;
  const inputs = doneOf(work);
  const failed = done.failed > 0 ? ` (${done.failed} failed)` : '';
  const attempts = done.attempts === inputs ? '' : ` in ${count(done.attempts, 'attempt')}`;
  const chunks =
    left === undefined ? 'the server does not respond' : `${count(left, 'chunk')} left`;
  return `${count(inputs, 'input')} done${failed}${attempts}, ${rateText(rate)}, ${chunks}`;
}

function doneOf({ done: { ok, failed } }: Work): number {
  return ok + failed;
}
