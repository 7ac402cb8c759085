import type { S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../../errors.ts';
import { FAILURE_CODES, type FailedResult, isFailureCode } from '../messages/result.ts';
import { type RetryFailed, type S3Folder, urlOf } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { RunLedger } from '../run/ledger.ts';
import { findExpectedQueue } from '../run/queues.ts';
import { linesOf } from './part-reader.ts';
import { noRunIn } from './read.ts';
import type { Part, StoredRun } from './state.ts';
import { StateObject } from './state-object.ts';

/** What a run that has ended leaves to one that continues it. */
export interface KeptResults {
  /** The earlier run's folder, `s3://bucket/prefix/<runId>/`. */
  folder: string;
  /** @internal Its record. */
  run: StoredRun;
  retryFailed: RetryFailed | undefined;
  /** The inputs whose results stay: the others run. */
  ledger: RunLedger;
}

/**
 * Reads which results of a run stay when another one continues it: not those of cancelled inputs,
 * and not the failures that `retryFailed` names.
 *
 * @throws FanfoldError `UnknownRun` when the folder holds no run; `BadOption` when it goes on
 */
export async function keptResults(
  s3: S3Client,
  { sqs, names }: Pick<Deployment, 'sqs' | 'names'>,
  folder: S3Folder,
  retryFailed: RetryFailed | undefined,
): Promise<KeptResults> {
  checkRetried(retryFailed);
  const run = (await StateObject.load(s3, folder))?.run;
  const url = urlOf(folder);
  if (run === undefined) throw noRunIn(folder);
  const { runId } = run.options;
  if (!run.done.announced && (await findExpectedQueue(sqs, names.run(runId))) !== undefined) {
    throw new FanfoldError(
      'BadOption',
      `Run ${runId} is not over, so it can't be continued yet. Wait for its end with fanfold wait ${runId}. If its inputs were not all seeded, end it first, with fanfold cancel ${runId}; its results stay. If its collector function was given up: fanfold collect ${runId}.`,
    );
  }
  const ledger = RunLedger.restored(run.ledger);
  for await (const { line, stays } of failuresOf(s3, folder, run.parts, retryFailed)) {
    const { index, status } = headOf(line);
    if (!stays) ledger.withdraw(index, status);
  }
  return { folder: url, run, retryFailed, ledger };
}

/** The lines of failed results that stay. */
export async function* keptFailures(
  s3: S3Client,
  folder: S3Folder,
  { run, retryFailed }: KeptResults,
): AsyncGenerator<string, void> {
  for await (const { line, stays } of failuresOf(s3, folder, run.parts, retryFailed)) {
    if (stays) yield line;
  }
}

async function* failuresOf(
  s3: S3Client,
  folder: S3Folder,
  parts: readonly Part[],
  retryFailed: RetryFailed | undefined,
) {
  for (const part of parts) {
    if (part.kind !== 'failed') continue;
    for await (const lines of linesOf(s3, folder, part)) {
      for (const line of lines) yield { line, stays: staysIn(line, retryFailed) };
    }
  }
}

function staysIn(line: string, retryFailed: RetryFailed | undefined): boolean {
  if (headOf(line).status === 'cancelled') return false;
  if (retryFailed === undefined || retryFailed === true) return retryFailed === undefined;
  return !retryFailed.includes((JSON.parse(line) as FailedResult).error.code);
}

function headOf(line: string): { index: number; status: 'failed' | 'cancelled' } {
  const [, index, status] = /^\{"index":(\d+),"status":"(failed|cancelled)"/.exec(line) ?? [];
  return { index: Number(index), status: status === 'cancelled' ? status : 'failed' };
}

function checkRetried(retryFailed: unknown): void {
  const isList = Array.isArray(retryFailed) && retryFailed.every((code) => isFailureCode(code));
  if (retryFailed === undefined || retryFailed === true || isList) return;
  throw new FanfoldError(
    'BadOption',
    `\`retryFailed\` must be true, or an array of codes of failures: ${FAILURE_CODES.join(', ')}; got ${JSON.stringify(retryFailed)}.`,
  );
}
