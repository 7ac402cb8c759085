import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';

/** What a process prints without an end of its line is told after so long, in milliseconds. */
const FLUSH_MS = 500;

/** A longer line is told in parts, in UTF-16 units. */
const MOST_LENGTH = 64 * 1024;

/** How long a process's pipes stay open after it: what it has started may hold them for ever. */
const HELD_MS = 1_000;

/** Tells whole lines of what a process with pipes prints, until its end. */
export function tellPrinted(child: ChildProcess, onPrint: (lines: string) => void): void {
  // A process that could not be started has none.
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
 * Has this process wait, when it prints, until its supervisor has room for that: what Node keeps in
 * memory for a full pipe is lost when the process is killed. There is no public call for it:
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
  // A pipe that breaks has ended.
  stream.on('error', () => {});
}
