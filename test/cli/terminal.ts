import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Terminal } from '@xterm/headless';
import { FANFOLD } from './command.ts';

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
  const ours = `"${process.execPath}" "${FANFOLD}"`;
  const shell = `stty cols ${columns} rows 24; ${line.replaceAll('fanfold ', `${ours} `)}`;
  const child = spawn('script', ['-qefc', shell, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm' },
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (data: Buffer) => chunks.push(data));
  const written = () => Buffer.concat(chunks).toString();
  const ended = once(child, 'close').then(async ([status]) => ({
    lines: await linesOf(written(), columns),
    status: status as number | null,
    written: written(),
  }));
  return { written, type: (keys) => child.stdin.write(keys), ended };
}

/** What a terminal is sent besides text: colours, and the erasure of the rest of a row. */
const CONTROLS = new RegExp(`${'\u001b'}\\[(\\d+m|K)|[\r\n]`, 'g');

/** The content that xterm would show. @throws Error for an unknown control sequence */
async function linesOf(written: string, columns: number): Promise<string[]> {
  const stray = /\p{Cc}.{0,9}/u.exec(written.replace(CONTROLS, ''));
  if (stray) throw new Error(`Unknown control sequence: ${JSON.stringify(stray[0])}.`);
  const terminal = new Terminal({ cols: columns, scrollback: 100_000, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(written, resolve));
  const { active } = terminal.buffer;
  const lines: string[] = [];
  for (let row = 0; row <= active.baseY + active.cursorY; row++) {
    const line = active.getLine(row);
    const text = line?.translateToString(true) ?? '';
    if (line?.isWrapped) lines.push((lines.pop() ?? '') + text);
    else lines.push(text);
  }
  if (lines.at(-1) === '') lines.pop();
  return lines;
}
