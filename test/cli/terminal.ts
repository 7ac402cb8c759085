import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { REPOSITORY } from './command.ts';

/** The content of a terminal, from its first line on. */
export interface Screen {
  /** Its lines; a line that was wrapped in the window counts as one. */
  lines: string[];
  status: number | null;
  /** All that was written to it. */
  written: string;
}

/** A command at a terminal. */
export interface AtTerminal {
  /** Its input so far. */
  written(): string;
  type(keys: string): void;
  ended: Promise<Screen>;
}

/** Runs a shell command in a new terminal; `fanfold` in it is this repository's. */
export function atTerminal(line: string, columns: number): AtTerminal {
  const ours = `"${process.execPath}" "${REPOSITORY}/bin/fanfold.js"`;
  const shell = `stty cols ${columns} rows 24; ${line.replaceAll('fanfold ', `${ours} `)}`;
  const child = spawn('script', ['-qefc', shell, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm' },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => chunks.push(data));
  const written = () => Buffer.concat(chunks).toString();
  const ended = once(child, 'close').then(([status]) => ({
    lines: linesOf(written(), columns),
    status: status as number | null,
    written: written(),
  }));
  return { written, type: (keys) => child.stdin.write(keys), ended };
}

/** Such characters have no width. */
const COLOURS = new RegExp(`${'\u001b'}\\[\\d+m`, 'g');

/** The content that xterm would show. @throws Error for an unknown control sequence */
function linesOf(written: string, columns: number): string[] {
  const rows: { text: string[]; goesOn: boolean }[] = [];
  let at = { row: 0, column: 0 };
  const rowAt = (row: number) => {
    rows[row] ??= { text: [], goesOn: false };
    return rows[row];
  };
  const [first = '', ...erased] = written.replace(COLOURS, '').split('\u001b[K');
  const write = (text: string) => {
    for (const character of text) {
      const row = rowAt(at.row);
      if (character === '\r') at.column = 0;
      else if (character === '\n') at.row++;
      else if (character < ' ') throw new Error(`It does not know ${JSON.stringify(character)}.`);
      else if (at.column < columns) row.text[at.column++] = character;
      else {
        row.goesOn = true;
        rowAt(++at.row).text[0] = character;
        at = { row: at.row, column: 1 };
      }
    }
  };
  write(first);
  for (const text of erased) {
    const row = rowAt(at.row);
    row.text.length = Math.min(row.text.length, at.column);
    write(text);
  }
  const lines: string[] = [];
  let before = '';
  for (const { text, goesOn } of rows) {
    before += text.join('');
    if (goesOn) continue;
    lines.push(before);
    before = '';
  }
  return lines;
}
