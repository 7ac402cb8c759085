import { printableLines } from '../inputs/printable.ts';

/** A line at the bottom of the terminal that is kept up to date, until it is stopped. */
export interface LiveLine {
  stop(): void;
}

/** The beginning of the line, and nothing behind it. */
const CLEAR = '\r\u001b[K';

/** Where a terminal does not say how wide it is. */
const COLUMNS = 80;
/** What is left free behind the line: the terminal puts `^C` there, which is not to begin another. */
const BEHIND = 3;

/** True if standard error is a terminal that can erase what it shows. */
export function canRedraw(): boolean {
  const { stderr, env, platform } = process;
  const isDumb = platform !== 'win32' && (env.TERM ?? '') === '';
  return stderr.isTTY === true && !isDumb && env.TERM !== 'dumb';
}

/** What draws the line; undefined where there is none. */
let draw: (() => string) | undefined;

/**
 * Shows a line on the terminal that standard error is, below all that is written `above` it. The
 * cursor stays visible behind it, and no other state of the terminal is changed: a process that is
 * killed leaves nothing to put right.
 *
 * @param textOf the line's text, for a window of so many columns; what is longer is cut
 */
export function showLine(textOf: (columns: number) => string, everyMs: number): LiveLine {
  const { stderr } = process;
  draw = () => {
    const columns = (stderr.columns || COLUMNS) - BEHIND;
    return textOf(columns).slice(0, columns);
  };
  const redraw = () => stderr.write(above(''));
  redraw();
  const timer = setInterval(redraw, everyMs);
  return {
    stop() {
      clearInterval(timer);
      if (draw === undefined) return;
      draw = undefined;
      stderr.write(CLEAR);
    },
  };
}

/** Writes what tasks printed to standard error, above the line. */
export function printAbove(lines: string): void {
  process.stderr.write(above(printableLines(lines)));
}

/**
 * Whole lines, as they are written to a terminal so that the live line, if there is one, stays below
 * them. All in one text: written apart, the line would flicker, and with standard output and
 * standard error both at the terminal it could come between the lines.
 */
export function above(lines: string): string {
  return draw === undefined ? lines : `${CLEAR}${lines}${draw()}`;
}
