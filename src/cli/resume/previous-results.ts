import { lstatSync } from 'node:fs';
import { open, rename, truncate } from 'node:fs/promises';
import { FanfoldError, RunLedger } from '../../index.ts';
import { FailureKinds } from '../../internal.ts';
import { headOf } from './head.ts';
import { partOf } from './record.ts';
import { failedOf, isResult, linesOf, resultOf } from './result-lines.ts';
import type { Retried } from './retried.ts';
import { wholeLines } from './whole-lines.ts';

/** The results that a run has written, and that stay. */
export interface Earlier {
  ledger: RunLedger;
  failures: FailureKinds;
  /** Number of inputs that failed and run again. */
  again: number;
}

/**
 * Reads the results that a run has written, and prepares the file for appending: cuts off an
 * incomplete last line, and removes results of inputs that must run again. Those are the cancelled
 * ones and the failed ones that `retryFailed` names.
 *
 * @param onDrop called before any result is removed
 */
export async function readEarlier(
  path: string,
  retryFailed: Retried | undefined,
  onDrop: () => void,
): Promise<Earlier> {
  const ledger = new RunLedger();
  const failures = new FailureKinds();
  const isKept = keeper(path, retryFailed);
  let number = 0;
  let bytes = 0;
  let dropped = 0;
  let again = 0;
  for await (const block of blocksOf(path)) {
    bytes += block.length;
    for (const line of linesOf(block)) {
      const { index, status } = resultOf(path, line, ++number);
      if (isKept(line, number)) {
        ledger.expect(index + 1);
        if (ledger.enter(index, status) && status === 'failed') {
          failures.add(failedOf(path, line, number));
        }
      } else {
        dropped++;
        if (status === 'failed') again++;
      }
    }
  }
  await truncate(path, bytes);
  if (dropped > 0) {
    onDrop();
    await rewrite(path, (line) => isKept(line, 0));
  }
  return { ledger, failures, again };
}

/** Reads the indexes of the results that stay, and changes nothing. */
export async function readKept(path: string, retryFailed: Retried | undefined): Promise<RunLedger> {
  const ledger = new RunLedger();
  const isKept = keeper(path, retryFailed);
  let number = 0;
  for await (const block of blocksOf(path)) {
    for (const line of linesOf(block)) {
      const { index, status } = resultOf(path, line, ++number);
      if (!isKept(line, number)) continue;
      ledger.expect(index + 1);
      ledger.enter(index, status);
    }
  }
  return ledger;
}

/** Returns whether the result in a line of the file stays, while the others' inputs run again. */
function keeper(
  path: string,
  retryFailed: Retried | undefined,
): (line: string, number: number) => boolean {
  return (line, number) => {
    const { status } = resultOf(path, line, number);
    if (status !== 'failed' || retryFailed === undefined) return status !== 'cancelled';
    if (retryFailed === 'all') return false;
    return !retryFailed.has(failedOf(path, line, number).error.code);
  };
}

/** Reads the whole lines of results, in blocks. */
async function* blocksOf(path: string): AsyncGenerator<Buffer, void> {
  try {
    yield* wholeLines(path);
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = missing ? 'it does not exist' : (cause as Error).message;
    throw new FanfoldError(
      'BadOption',
      `--resume: ${path} cannot be resumed: ${why}. Give --overwrite in its place to start again.`,
      { cause },
    );
  }
}

/** @throws FanfoldError when another program's file, such as a download, is in the `.part` place */
export function checkPart(output: string): void {
  const part = partOf(output);
  if (!lstatSync(part, { throwIfNoEntry: false })) return;
  const head = headOf(part);
  // A killed command has left it.
  if (head !== undefined && (head === '' || isResult(head))) return;
  throw new FanfoldError(
    'BadOption',
    `--output ${output} is rewritten through ${part}, but that file was not written by fanfold. Move it, or name another file.`,
  );
}

/** Atomically replaces the file by one with only the lines that `keeps` accepts. */
async function rewrite(path: string, keeps: (line: string) => boolean): Promise<void> {
  const part = partOf(path);
  await using file = await open(part, 'w');
  for await (const block of blocksOf(path)) {
    const kept = linesOf(block).filter(keeps);
    await file.appendFile(kept.map((line) => `${line}\n`).join(''));
  }
  await file.sync();
  await rename(part, path);
}
