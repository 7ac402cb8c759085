import type { Ledger } from '../index.ts';
import { canRedraw, showLine } from './live-line.ts';
import { count, say } from './log.ts';
import { RecentRate, rateText } from './recent-rate.ts';

/** Display of a run's progress, until it is stopped. */
export interface Progress {
  stop(): void;
}

const LINE_MS = 5_000;
const BAR_MS = 200;
/** Time that the rate and the remaining time are based on. */
const WINDOW_MS = 30_000;

interface Facts {
  total: number | undefined;
  workers: number | undefined;
  /** What the run waits for during an outage, such as `the server`; otherwise undefined. */
  awaited: () => string | undefined;
}

/**
 * Shows a bar on a terminal, or else prints a line every few seconds.
 *
 * @param isShared whether other programs may print to the terminal, and so break the bar
 */
export function showProgress(ledger: () => Ledger, facts: Facts, isShared: boolean): Progress {
  const rate = new RecentRate(() => doneOf(ledger()), WINDOW_MS);
  const state = () => stateOf(ledger(), facts, rate.perSecond());
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
  awaited: string | undefined;
}

function stateOf(ledger: Ledger, { total, workers, awaited }: Facts, rate: number): State {
  const { inputs, failed, sealed } = ledger;
  const done = doneOf(ledger);
  return { done, total: sealed ? inputs : total, failed, rate, workers, awaited: awaited() };
}

function doneOf({ ok, failed, cancelled }: Ledger): number {
  return ok + failed + cancelled;
}

const BAR_COLUMNS = { most: 30, least: 10 };

function bar(state: State, columns: number): string {
  const { done, total, failed, workers, awaited } = state;
  const outage = awaited === undefined ? [] : [`waiting for ${awaited}`];
  const speed = awaited === undefined ? [rateText(state.rate)] : [];
  const crew = workers === undefined ? [] : [count(workers, 'worker')];
  if (total === undefined) {
    return [...outage, `${done} done`, `${failed} failed`, ...speed, ...crew].join(' | ');
  }
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const percent = `${Math.floor(part * 100)}%`;
  const left = awaited === undefined ? [`ETA ${eta(state)}`] : [];
  const facts = [...outage, percent, `${done}/${total}`, `${failed} failed`];
  facts.push(...left, ...speed, ...crew);
  // A narrow window shows no bar, and drops the least important facts first.
  while (facts.join(' | ').length > columns && facts.length > 1) facts.pop();
  const summary = facts.join(' | ');
  const size = Math.min(BAR_COLUMNS.most, columns - summary.length - 1);
  if (size < BAR_COLUMNS.least) return summary;
  const full = Math.floor(part * size);
  return `${'█'.repeat(full)}${'░'.repeat(size - full)} ${summary}`;
}

function lines(state: () => State): Progress {
  const timer = setInterval(() => say(lineOf(state())), LINE_MS);
  return { stop: () => clearInterval(timer) };
}

function lineOf(state: State): string {
  const { done, total, failed, workers, awaited } = state;
  const isAway = awaited !== undefined;
  const parts = [
    `${done}${total === undefined ? '' : ` of ${total}`} done`,
    ...(isAway ? [`waiting for ${awaited}`] : [rateText(state.rate)]),
    ...(workers === undefined ? [] : [count(workers, 'worker')]),
    `${failed} failed`,
    ...(total === undefined || isAway ? [] : [`ETA ${eta(state)}`]),
  ];
  return parts.join(', ');
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
