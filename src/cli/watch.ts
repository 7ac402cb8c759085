import { FanfoldError } from '../index.ts';
import { printable } from '../inputs/printable.ts';
import { canRedraw } from './live-line.ts';
import { say } from './log.ts';
import { isRefusal, reasonOf } from './quiet.ts';
import { hasReader } from './standard-output.ts';

/** Interval of looks, in milliseconds. */
const LOOK_MS = 2_000;

export interface Watched<Look> {
  /** Looks once; undefined when there is nothing more to look at. */
  look: () => Promise<Look | undefined>;
  /** Shows a look. */
  show: (look: Look) => void;
  /** Whether nothing changes after this look. */
  isLast: (look: Look) => boolean;
  /** Name of the place that is looked at, for messages. */
  place: string;
  signal: AbortSignal;
}

/**
 * Looks at something every two seconds until it has ended. An outage is reported once, and waited
 * for. A reader of standard output who leaves ends it, too. Throws the signal's reason when it aborts.
 */
export async function watch<Look>({
  look,
  show,
  isLast,
  place,
  signal,
}: Watched<Look>): Promise<void> {
  let isAway = false;
  for (;;) {
    try {
      const seen = await look();
      signal.throwIfAborted();
      if (isAway) say(`${place} responds again`);
      isAway = false;
      if (seen === undefined) return;
      show(seen);
      if (isLast(seen) || !hasReader()) return;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof FanfoldError || isRefusal(error)) throw error;
      if (!isAway) say(`${place} does not respond (${reasonOf(error)}): waiting for it`);
      isAway = true;
    }
    await pause(signal);
    signal.throwIfAborted();
  }
}

function pause(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, LOOK_MS);
    signal.addEventListener('abort', end);
  });
}

/** Returns a function that shows lines at the place of the lines that it has shown before. */
export function redrawn(): (lines: readonly string[]) => void {
  const { stdout } = process;
  let shown = 0;
  return (lines) => {
    const columns = Math.max(1, (stdout.columns || 80) - 1);
    // Lines that the terminal wraps would make the cursor return to the wrong line.
    const cut = lines.map((line) => `${printable(line).slice(0, columns)}\n`);
    stdout.write(`${shown === 0 ? '' : `\u001b[${shown}A\r\u001b[J`}${cut.join('')}`);
    shown = lines.length;
  };
}

/** True if both outputs are a terminal that can erase text. */
export function canRedrawOutput(): boolean {
  return process.stdout.isTTY === true && canRedraw();
}
