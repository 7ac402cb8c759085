import { type Options, SingleBar } from 'cli-progress';
import type { Ledger } from '../index.ts';
import { say } from './say.ts';

/** Tells the human how far a run is, until it is stopped. */
export interface Progress {
  stop(): void;
}

const LINE_MS = 5_000;
const BAR_MS = 200;

/** A bar on a terminal, a line every few seconds elsewhere. */
export function showProgress(
  ledger: () => Ledger,
  facts: { total: number | undefined; workers: number | undefined },
): Progress {
  const startedAt = performance.now();
  const before = doneOf(ledger());
  const state = () => stateOf(ledger(), facts, before, (performance.now() - startedAt) / 1000);
  return process.stderr.isTTY ? bar(state) : lines(state);
}

interface State {
  done: number;
  total: number | undefined;
  failed: number;
  /** Inputs a second. */
  rate: number;
  workers: number | undefined;
}

/** @param before how many were done before it began */
function stateOf(
  ledger: Ledger,
  { total, workers }: { total: number | undefined; workers: number | undefined },
  before: number,
  seconds: number,
): State {
  const { inputs, failed, sealed } = ledger;
  const done = doneOf(ledger);
  const rate = (done - before) / seconds;
  return { done, total: sealed ? inputs : total, failed, rate, workers };
}

function doneOf({ ok, failed, cancelled }: Ledger): number {
  return ok + failed + cancelled;
}

function bar(state: () => State): Progress {
  const options: Options = {
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: false,
    barsize: 30,
    format: (settings, params, payload: State) => {
      const { done, total, failed, rate, workers } = payload;
      const facts = `${text(rate)}/s | ${workers === undefined ? '' : `${workers} workers | `}${failed} failed`;
      if (total === undefined) return `${done} done | ${facts}`;
      const size = settings.barsize ?? 30;
      const full = Math.floor(params.progress * size);
      const drawn = `${'█'.repeat(full)}${'░'.repeat(size - full)}`;
      const percent = Math.floor(params.progress * 100);
      return `${drawn} ${percent}% | ${done}/${total} | ${facts} | ETA ${eta(payload)}`;
    },
  };
  const drawn = new SingleBar(options);
  const first = state();
  drawn.start(first.total ?? 1, 0, first);
  const timer = setInterval(() => {
    const now = state();
    drawn.setTotal(now.total ?? Math.max(1, now.done));
    drawn.update(now.done, now);
  }, BAR_MS);
  return {
    stop() {
      clearInterval(timer);
      drawn.stop();
    },
  };
}

function lines(state: () => State): Progress {
  const timer = setInterval(() => {
    const now = state();
    const of = now.total === undefined ? '' : ` of ${now.total}`;
    const left = now.total === undefined ? '' : `, ETA ${eta(now)}`;
    say(
      `${now.done}${of} done, ${text(now.rate)}/s, ${now.workers === undefined ? '' : `${now.workers} workers, `}${now.failed} failed${left}`,
    );
  }, LINE_MS);
  return { stop: () => clearInterval(timer) };
}

function text(rate: number): string {
  return rate >= 10 ? String(Math.round(rate)) : rate.toFixed(1);
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
