import type { ChildProcess } from 'node:child_process';
import { Readable } from 'node:stream';
import type { LogLine } from '../pipeline/working/log-line.ts';
import { readLogLine } from './log-pipe.ts';

/** Pause after which output without a line end is passed on, in milliseconds. */
const FLUSH_MS = 500;

/** Length from which a printed line is passed on in parts, in UTF-16 units. */
const MOST_LENGTH = 64 * 1024;

/**
 * Time that the pipes of a process stay open after its exit, in milliseconds: programs that it
 * started may hold them forever.
 */
const HELD_MS = 1_000;

/** Passes on the lines that a worker process logs and prints, until it ends. */
export function tellLines(
  child: ChildProcess,
  worker: string,
  onLog: (line: LogLine) => void,
): void {
  const print = (level: LogLine['level']) => (text: string) => {
    const time = new Date().toISOString();
    // A progress display goes back to the start of its line.
    for (const message of text.split('\r')) if (message) onLog({ time, level, worker, message });
  };
  const out = print('info');
  // A process that could not be started has no streams.
  const [, stdout, stderr, , , log]: readonly unknown[] = child.stdio ?? [];
  const readLog = (text: string) => {
    const line = readLogLine(text);
    if (line) onLog(line);
    else out(text);
  };
  const streams = [
    ...tellEach(stdout, out, FLUSH_MS),
    ...tellEach(stderr, print('warn'), FLUSH_MS),
    // Its writer ends each line.
    ...tellEach(log, readLog),
  ];
  child.once('exit', () => {
    const timer = setTimeout(() => {
      for (const stream of streams) stream.destroy();
    }, HELD_MS);
    child.once('close', () => clearTimeout(timer));
  });
}

/**
 * Makes writes to standard output and error block while the pipe is full. Output that Node buffers
 * in memory is lost when the process is killed. Node has no public API for it:
 * https://github.com/nodejs/node/issues/784
 */
export function printAtOnce(): void {
  for (const stream of [process.stdout, process.stderr]) {
    const { _handle: handle } = stream as { _handle?: { setBlocking?(isBlocking: boolean): void } };
    handle?.setBlocking?.(true);
  }
}

/**
 * Passes on the lines of a stream, if it is one to read from.
 *
 * @param flushMs pause after which an unfinished line is passed on. @default at the stream's end
 */
function tellEach(stream: unknown, read: (line: string) => void, flushMs?: number): Readable[] {
  if (!(stream instanceof Readable)) return [];
  let rest = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    if (rest !== '') read(rest);
    rest = '';
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    clearTimeout(timer);
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) read(line);
    if (flushMs === undefined || rest === '') return;
    if (rest.length > MOST_LENGTH) flush();
    else timer = setTimeout(flush, flushMs);
  });
  stream.on('close', flush);
  // A broken pipe has ended; `close` follows.
  stream.on('error', () => {});
  return [stream];
}
