import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

/** Pause after which output without a line end is passed on, in milliseconds. */
const FLUSH_MS = 500;

/** Length from which a line is passed on in parts, in UTF-16 units. */
const MOST_LENGTH = 64 * 1024;

/**
 * Time that the pipes of a process stay open after its exit, in milliseconds: programs that it
 * started may hold them forever.
 */
const HELD_MS = 1_000;

/** Passes on whole lines that a process with pipes prints, until it ends. */
export function tellPrinted(child: ChildProcess, onPrint: (lines: string) => void): void {
  // A process that could not be started has no streams.
  const streams = [child.stdout, child.stderr].flatMap((stream) => stream ?? []);
  for (const stream of streams) tellLines(stream, onPrint);
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

function tellLines(stream: Readable, onPrint: (lines: string) => void): void {
  let rest = '';
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    clearTimeout(timer);
    if (rest !== '') onPrint(`${rest}\n`);
    rest = '';
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    clearTimeout(timer);
    const all = rest + text;
    const end = all.lastIndexOf('\n') + 1;
    rest = all.slice(end);
    if (end > 0) onPrint(all.slice(0, end));
    if (rest.length > MOST_LENGTH) flush();
    else if (rest !== '') timer = setTimeout(flush, FLUSH_MS);
  });
  stream.on('close', flush);
  // A broken pipe has ended; `close` follows.
  stream.on('error', () => {});
}
