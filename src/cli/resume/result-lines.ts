import { type FailedResult, FanfoldError, MAX_RUN_INPUTS } from '../../index.ts';

const NEWLINE = 0x0a;

const RESULT = /^\{"index":(\d+),"status":"(ok|failed|cancelled)"[,}]/;

/** Index and status of a result line. */
export interface ResultHead {
  index: number;
  status: 'ok' | 'failed' | 'cancelled';
}

/** Length of the whole lines in these bytes. Only a line end proves that a line is complete. */
export function wholeLength(bytes: Buffer): number {
  return bytes.lastIndexOf(NEWLINE) + 1;
}

/** @param block of whole lines */
export function linesOf(block: Buffer): string[] {
  return block.length === 0 ? [] : block.toString().slice(0, -1).split('\n');
}

/** Whether a text starts like a result. */
export function isResult(text: string): boolean {
  return RESULT.test(text);
}

/** @param number of the line in the file, from 1. @throws FanfoldError when it is not a result */
export function resultOf(path: string, line: string, number: number): ResultHead {
  const [, index, status] = RESULT.exec(line) ?? [];
  if (index !== undefined && Number(index) < MAX_RUN_INPUTS && line.endsWith('}')) {
    return { index: Number(index), status: status as ResultHead['status'] };
  }
  throw notAResult(path, number);
}

/** A failed result. @throws FanfoldError when the rest of its line is damaged */
export function failedOf(path: string, line: string, number: number): FailedResult {
  try {
    const result = JSON.parse(line) as FailedResult;
    if (typeof result.error.message === 'string') return result;
  } catch {
    // The error below reports it.
  }
  throw notAResult(path, number);
}

function notAResult(path: string, number: number): FanfoldError {
  return new FanfoldError(
    'BadInput',
    `--resume: ${path}, line ${number}: this line is not a result that fanfold wrote, so the file cannot be resumed. Give --overwrite in its place to start again.`,
  );
}
