import type { Cost, Ledger, RunSettings } from '../index.ts';
import { boundsText } from './flow.ts';
import { canRedraw, showLine } from './live-line.ts';
import { count, say } from './log.ts';
import { costSoFar } from './money.ts';
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
  /** The run's bounds, and whether it is paused. */
  settings: () => RunSettings;
  /** The cost of the run so far. @default not known */
  cost?: () => Cost | undefined;
}

/**
 * Shows a bar on a terminal, or else prints a line every few seconds.
 *
 * @param isShared whether other programs may print to the terminal, and so break the bar
 */
export function showProgress(ledger: () => Ledger, facts: Facts, isShared: boolean): Progress {
  const newRate = () => new RecentRate(() => doneOf(ledger()), WINDOW_MS);
  let rate = newRate();
  const failing = new RecentRate(() => ledger().failed, WINDOW_MS);
  let before = settingsKey(facts.settings());
  const state = () => {
    const settings = facts.settings();
    const now = settingsKey(settings);
    // Progress during a pause, or within other bounds, says nothing about the present.
    if (isHeld(settings) || now !== before) rate = newRate();
    before = now;
    return stateOf(ledger(), facts, rate.perSecond(), failing.perSecond());
  };
  if (!canRedraw() || isShared) return lines(state);
  return showLine((columns) => bar(state(), columns), BAR_MS);
}

interface State {
  done: number;
  total: number | undefined;
  failed: string;
  /** Inputs per second. */
  rate: number;
  workers: number | undefined;
  /** Reason why there is no rate and no remaining time. */
  held: string | undefined;
  bounds: string | undefined;
  cost: string | undefined;
}

function settingsKey({ concurrency, rate, pausedAt, outage }: RunSettings): string {
  return JSON.stringify([concurrency, rate, pausedAt, outage?.since]);
}

function isHeld({ pausedAt, outage }: RunSettings): boolean {
  return pausedAt !== undefined || outage !== undefined;
}

function pauseText({ pausedAt, outage }: RunSettings): string | undefined {
  if (pausedAt !== undefined) return 'paused';
  return outage && 'paused itself, tries single inputs';
}

function stateOf(
  ledger: Ledger,
  { total, workers, ...facts }: Facts,
  rate: number,
  failing: number,
): State {
  const { inputs, sealed } = ledger;
  const failed = failedText(ledger.failed, failing);
  const done = doneOf(ledger);
  const [awaited, settings] = [facts.awaited(), facts.settings()];
  const held = awaited === undefined ? pauseText(settings) : `waiting for ${awaited}`;
  const bounds = boundsText(settings);
  const of = sealed ? inputs : total;
  const cost = costSoFar(facts.cost?.(), { done, total: of });
  return { done, total: of, failed, rate, workers, held, bounds, cost };
}

/** The failed inputs, and how many fail in a second while some do. */
function failedText(failed: number, perSecond: number): string {
  const now = perSecond > 0 ? ` (${rateText(perSecond)})` : '';
  return `${failed} failed${now}`;
}

function doneOf({ ok, failed, cancelled }: Ledger): number {
  return ok + failed + cancelled;
}

const BAR_COLUMNS = { most: 30, least: 10 };

function bar(state: State, columns: number): string {
  const { done, total, failed, workers, held } = state;
  const before = held === undefined ? [] : [held];
  const speed = held === undefined ? [rateText(state.rate)] : [];
  const crew = workers === undefined ? [] : [count(workers, 'worker')];
  const bounds = [state.cost, state.bounds].filter((fact) => fact !== undefined);
  if (total === undefined) {
    return [...before, `${done} done`, failed, ...speed, ...crew, ...bounds].join(' | ');
  }
  const part = total === 0 ? 1 : Math.min(1, done / total);
  const percent = `${Math.floor(part * 100)}%`;
  const left = held === undefined ? [`ETA ${eta(state)}`] : [];
  const facts = [...before, percent, `${done}/${total}`, failed];
  facts.push(...left, ...speed, ...crew, ...bounds);
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
  const { done, total, failed, workers, held, bounds, cost } = state;
  const parts = [
    `${done}${total === undefined ? '' : ` of ${total}`} done`,
    held ?? rateText(state.rate),
    ...(workers === undefined ? [] : [count(workers, 'worker')]),
    failed,
    ...(total === undefined || held !== undefined ? [] : [`ETA ${eta(state)}`]),
    ...[cost, bounds].filter((fact) => fact !== undefined),
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
