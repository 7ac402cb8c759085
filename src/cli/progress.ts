import type { Ledger } from '../index.ts';
import { canRedraw, showLine } from './live-line.ts';
import { count, rateText, say } from './log.ts';

/** Display of a run's progress, until it is stopped. */
export interface Progress {
  stop(): void;
}

const LINE_MS = 5_000;
const BAR_MS = 200;

interface Facts {
  total: number | undefined;
  workers: number | undefined;
}

/**
 * Shows a bar on a terminal, or else prints a line every few seconds.
 *
 * @param isShared whether other programs may print to the terminal, and so break the bar
 */
export function showProgress(ledger: () => Ledger, facts: Facts, isShared: boolean): Progress {
  const startedAt = performance.now();
  const before = doneOf(ledger());
  const state = () => stateOf(ledger(), facts, before, (performance.now() - startedAt) / 1000);
  if (!canRedraw() || isShared) return lines(state);
  return showLine((columns) => bar(state(), columns), BAR_MS);
}

interface State {
  done: number;
  total: number | undefined;
  failed: number;
  /** Inputs per second. */
  rate: number;
  workers: number | undefined;
}

/** @param before number of inputs that were done before it began */
function stateOf(
  ledger: Ledger,
  { total, workers }: Facts,
  before: number,
  seconds: number,
): State {
  const { inputs, failed, sealed } = ledger;
  const done = doneOf(ledger);
  const rate = seconds > 0 ? (done - before) / seconds : 0;
  return { done, total: sealed ? inputs : total, failed, rate, workers };
}

function doneOf({ ok, failed, cancelled }: Ledger): number {
  return ok + failed + cancelled;
}

const BAR_COLUMNS = { most: 30, least: 10 };

function bar(state: State, columns: number): string {
  const { done, total, failed, rate, workers } = state;
  const speed = [
    `${rateText(rate)}/s`,
    ...(workers === undefined ? [] : [count(workers, 'worker')]),
  ];
  if (total === undefined) return [`${done} done`, `${failed} failed`, ...speed].join(' | ');
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const percent = `${Math.floor(part * 100)}%`;
  const facts = [percent, `${done}/${total}`, `${failed} failed`, `ETA ${eta(state)}`, ...speed];
  // A narrow window shows no bar, and drops the least important facts first.
  while (facts.join(' | ').length > columns && facts.length > 1) facts.pop();
  const summary = facts.join(' | ');
  const size = Math.min(BAR_COLUMNS.most, columns - summary.length - 1);
  if (size < BAR_COLUMNS.least) return summary;
  const full = Math.floor(part * size);
  return `${'█'.repeat(full)}${'░'.repeat(size - full)} ${summary}`;
}

function lines(state: () => State): Progress {
  const timer = setInterval(() => {
    const now = state();
    const of = now.total === undefined ? '' : ` of ${now.total}`;
    const left = now.total === undefined ? '' : `, ETA ${eta(now)}`;
    say(
      `${now.done}${of} done, ${rateText(now.rate)}/s, ${now.workers === undefined ? '' : `${count(now.workers, 'worker')}, `}${now.failed} failed${left}`,
    );
  }, LINE_MS);
  return { stop: () => clearInterval(timer) };
}

function eta({ done, total, rate }: State): string {
  if (total === undefined || rate === 0) return '?';
  const seconds = Math.ceil((total - done) / rate);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
