import { createReadStream } from 'node:fs';
import { wholeLength } from './result-lines.ts';

const READ_BYTES = 256 * 1024;

/** Reads a file's whole lines, in blocks. */
export async function* wholeLines(path: string): AsyncGenerator<Buffer, void> {
  let rest: Buffer[] = [];
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    const bytes = chunk as Buffer;
    const end = wholeLength(bytes);
    if (end > 0) yield Buffer.concat([...rest.splice(0), bytes.subarray(0, end)]);
    if (end < bytes.length) rest = [...rest, bytes.subarray(end)];
  }
}
