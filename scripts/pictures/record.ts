import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import xterm from '@xterm/headless';

/** Size of a terminal, in characters. */
export interface Size {
  columns: number;
  rows: number;
}

/** The content of a terminal from some moment on. */
export interface Frame {
  /** Milliseconds since the prompt appeared. */
  at: number;
  rows: string[];
}

const PROMPT = '$ ';
const KEY_MS = 90;
/** Longest pause that is shown. */
const PAUSE_MS = 1_500;

/** Types a command into a shell at a new terminal, and records the terminal until it has ended. */
export async function record(command: string, cwd: string, size: Size): Promise<Frame[]> {
  const terminal = new xterm.Terminal({
    cols: size.columns,
    rows: size.rows,
    scrollback: 0,
    allowProposedApi: true,
  });
  const frames: Frame[] = [];
  const now = () => {
    const rows = rowsOf(terminal);
    if (rows.join('\n') === frames.at(-1)?.rows.join('\n')) return;
    frames.push({ at: performance.now(), rows });
  };
  const isAtPrompt = () => frames.at(-1)?.rows.at(-1) === PROMPT.trimEnd();
  const setUp = `stty cols ${size.columns} rows ${size.rows}; exec sh`;
  const shell = spawn('script', ['-qefc', setUp, '/dev/null'], {
    cwd,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment(),
  });
  shell.stdout.on('data', (data: Buffer) => terminal.write(data, now));
  await until(isAtPrompt);
  const beganAt = performance.now();
  for (const key of `${command}\r`) {
    shell.stdin.write(key);
    await sleep(KEY_MS);
  }
  await until(() => isAtPrompt() && (frames.at(-1)?.rows.length ?? 0) > 1);
  const recorded = frames.map(({ at, rows }) => ({ at: Math.max(0, at - beganAt), rows }));
  const ended = once(shell, 'close');
  shell.stdin.write('exit\r');
  await ended;
  return shortened(recorded);
}

/** Frames without long pauses, such as a busy machine makes before a program starts. */
function shortened(frames: readonly Frame[]): Frame[] {
  let cut = 0;
  let before = 0;
  return frames.map(({ at, rows }) => {
    cut += Math.max(0, at - before - PAUSE_MS);
    before = at;
    return { at: at - cut, rows };
  });
}

/** A newcomer's environment: npm's own variables, from this script's `npm run`, are left out. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^npm_|^(CI|ENV|NO_COLOR)$/.test(name),
  );
  return {
    ...Object.fromEntries(own),
    PS1: PROMPT,
    SHELL: '/bin/sh',
    TERM: 'xterm-256color',
    npm_config_update_notifier: 'false',
  };
}

/** The rows down to the cursor's. @throws Error for colours, which the picture would not show */
function rowsOf({ buffer: { active } }: InstanceType<typeof xterm.Terminal>): string[] {
  return Array.from({ length: active.cursorY + 1 }, (_, y) => {
    const line = active.getLine(active.baseY + y);
    for (let x = 0; x < (line?.length ?? 0); x++) {
      if (line?.getCell(x)?.isAttributeDefault() === false) {
        throw new Error(`Row ${y + 1} has colours or bold letters, which svg.ts must learn first.`);
      }
    }
    return line?.translateToString(true).trimEnd() ?? '';
  });
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('The command has not ended in two minutes.');
    await sleep(20);
  }
}
