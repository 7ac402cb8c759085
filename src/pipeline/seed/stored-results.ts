import type { LambdaClient } from '@aws-sdk/client-lambda';
import { FanfoldError } from '../../errors.ts';
import type { CollectorEvent } from '../messages/collector-event.ts';
import {
  folderOf,
  OWN_BUCKET,
  runFolder,
  type S3Results,
  urlOf,
} from '../messages/results-place.ts';
import type { PageRequest } from '../messages/seed-request.ts';
import type { Names } from '../names.ts';
import { callFunction } from '../run/call-function.ts';

/** Access to the deployment's collector function, and the folder that it uses by default. */
export interface StoredResults {
  lambda: LambdaClient;
  /** `s3://bucket/prefix/`. */
  place: string;
}

/**
 * Has the collector function check the place of a run's results, before anything is queued. Returns
 * the folder's URL; undefined if the results are not stored.
 *
 * @throws FanfoldError when the place can't be used, or the deployment stores no results
 */
export async function beginStored(
  { task, results, maxFailures, hedge, pauseWhenFailing }: PageRequest,
  { runId, expiresAt }: { runId: string; expiresAt: number },
  { names, stored }: { names: Names; stored?: StoredResults | undefined },
): Promise<string | undefined> {
  if (results === undefined || results === 'own' || results === 'shared') return undefined;
  if (stored === undefined) throw notStored(names);
  const wanted: S3Results = results === 's3' ? { s3: stored.place } : results;
  const { s3, format = 'jsonl', compression, ordered } = wanted;
  const output = urlOf(runFolder(folderOf(s3 === OWN_BUCKET ? stored.place : s3), runId));
  const about = { runId, task, expiresAt, format, compression, ordered };
  const limits = { maxFailures, hedge, pauseWhenFailing };
  const event: CollectorEvent = { begin: { ...about, ...limits, output } };
  await callFunction(stored.lambda, names.collector, event);
  return output;
}

function notStored({ name }: Names): FanfoldError {
  return new FanfoldError(
    'BadInput',
    `The deployment "${name}" does not store results in S3: a stack does, unless its \`s3Results\` is false; a server does not.`,
  );
}
