import { createReadStream } from 'node:fs';
import { open, rename, truncate } from 'node:fs/promises';
import { Account, FanfoldError } from '../../index.ts';

const READ_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

const RESULT = /^\{"index":(\d+),"status":"(ok|failed|cancelled)"[,}]/;

/**
 * Reads the results that a run has written, and makes the file one that more can be appended to:
 * half a line at its end is cut off, and results that are to be made again are taken out, which are
 * the cancelled ones and, with `retryFailed`, those that failed.
 */
export async function readEarlier(path: string, retryFailed: boolean): Promise<Account> {
  const account = new Account();
  const keeps = (status: string) => status === 'ok' || (status === 'failed' && !retryFailed);
  let number = 0;
  let bytes = 0;
  let dropped = 0;
  for await (const block of blocksOf(path)) {
    bytes += block.length;
    for (const line of linesOf(block)) {
      const { index, status } = resultOf(path, line, ++number);
      if (keeps(status)) {
        account.inputs = Math.max(account.inputs, index + 1);
        account.enter(index, status as 'ok' | 'failed');
      } else dropped++;
    }
  }
  await truncate(path, bytes);
  if (dropped > 0) await rewrite(path, (line) => keeps(resultOf(path, line, 0).status));
  return account;
}

function resultOf(path: string, line: string, number: number): { index: number; status: string } {
  const [, index, status] = RESULT.exec(line) ?? [];
  if (index !== undefined && status !== undefined && line.endsWith('}')) {
    return { index: Number(index), status };
  }
  throw new FanfoldError(
    'BadInput',
    `--resume: ${path}, line ${number}: this is no result as fanfold writes them, so the file can't be gone on with. Leave --resume out to begin again.`,
  );
}

/**
 * A file's whole lines, in blocks. What follows the last line end is not among them: that a line
 * ends is the only proof that it was written to its end.
 */
async function* blocksOf(path: string): AsyncGenerator<Buffer, void> {
  let rest: Buffer[] = [];
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
      const bytes = chunk as Buffer;
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      if (end > 0) yield Buffer.concat([...rest.splice(0), bytes.subarray(0, end)]);
      if (end < bytes.length) rest = [...rest, bytes.subarray(end)];
    }
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'it is not there' : (cause as Error).message;
    throw new FanfoldError(
      'BadOption',
      `--resume: ${path} cannot be gone on with: ${why}. Leave --resume out to begin again.`,
      { cause },
    );
  }
}

function linesOf(block: Buffer): string[] {
  return block.toString().slice(0, -1).split('\n');
}

/** Replaces the file by one with these of its lines; at no time is there half a file. */
async function rewrite(path: string, keeps: (line: string) => boolean): Promise<void> {
  const part = `${path}.part`;
  await using file = await open(part, 'w');
  for await (const block of blocksOf(path)) {
    const kept = linesOf(block).filter(keeps);
    await file.appendFile(kept.map((line) => `${line}\n`).join(''));
  }
  await file.sync();
  await rename(part, path);
}
