/** A line at the bottom of the terminal that is updated until it is stopped. */
export interface LiveLine {
  stop(): void;
}

/** Moves the cursor to the start of the line and clears the line. */
const CLEAR = '\r\u001b[K';

/** Assumed width of a terminal that does not report one. */
const COLUMNS = 80;
/** Columns kept free after the line, so that the terminal's `^C` does not wrap. */
const BEHIND = 3;

/** True if standard error is a terminal that can erase text. */
export function canRedraw(): boolean {
  const { stderr, env, platform } = process;
  const isDumb = platform !== 'win32' && (env.TERM ?? '') === '';
  return stderr.isTTY === true && !isDumb && env.TERM !== 'dumb';
}

/** Columns for a line on the terminal of standard error. */
export function columnsOf(): number {
  return (process.stderr.columns || COLUMNS) - BEHIND;
}

/** Draws the current line; undefined if there is none. */
let draw: (() => string) | undefined;

/**
 * Shows a line on the terminal of standard error, below all text that is written `above` it. The
 * cursor stays visible after it, and no other terminal state changes: a killed process leaves
 * nothing to restore.
 *
 * @param textOf returns the line's text for a number of columns; longer text is cut
 */
export function showLine(textOf: (columns: number) => string, everyMs: number): LiveLine {
  const { stderr } = process;
  draw = () => {
    const columns = columnsOf();
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

/**
 * Wraps whole lines for a terminal, so that the live line, if there is one, stays below them. The
 * result is one text: separate writes would make the line flicker, or put it between the lines if
 * standard output and standard error are both terminals.
 */
export function above(lines: string): string {
  return draw === undefined ? lines : `${CLEAR}${lines}${draw()}`;
}
