import { count } from '../errors.ts';
import type { Backlog } from '../pipeline/run/backlog.ts';
import type { RunSettings } from '../pipeline/run/settings.ts';

export interface LimitFacts {
  settings: RunSettings;
  /** Chunks of the place, of all its runs; undefined if they are not known. */
  backlog: Backlog | undefined;
  /** Inputs that are seeded and have no result yet. */
  left: number;
  isSealed: boolean;
}

/** What limits a run now, as a sentence; undefined if nothing is known that does. */
export function limitOf({ settings, backlog, left, isSealed }: LimitFacts): string | undefined {
  const { pausedAt, outage } = settings;
  if (pausedAt !== undefined) return 'It is paused: no further input starts.';
  if (outage) return 'It has paused itself, and runs single inputs until they succeed.';
  if (isSealed && left === 0) return 'All inputs are done: the last results are on their way.';
  const { waiting = 0, delayed = 0, inFlight = 0 } = backlog ?? {};
  if (waiting > 0 && inFlight === 0) {
    return `It waits for workers: ${chunks(waiting)} for one, and none is running.`;
  }
  const bounds = boundsOf(settings);
  if (bounds !== undefined) return bounds;
  if (backlog === undefined) return undefined;
  if (waiting > 0) return `All workers are busy: ${chunks(waiting)} for one.`;
  if (!isSealed) return 'It waits for inputs: not all of them are seeded yet.';
  if (inFlight === 0 && delayed > 0) {
    return `It waits for retries: ${count(delayed, 'chunk')} with inputs that failed will run again.`;
  }
  return left === 1
    ? 'The last input is running.'
    : `The last ${count(left, 'input')} are running.`;
}

function chunks(waiting: number): string {
  return `${count(waiting, 'chunk')} ${waiting === 1 ? 'waits' : 'wait'}`;
}

function boundsOf({ concurrency, rate }: RunSettings): string | undefined {
  const at = concurrency === undefined ? undefined : `${count(concurrency, 'input')} at once`;
  const starts = rate === undefined ? undefined : `${rate}`;
  const bounds = [at, starts].filter((bound) => bound !== undefined);
  return bounds.length === 0 ? undefined : `Its bounds: at most ${bounds.join(' and ')}.`;
}
