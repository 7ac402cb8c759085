import { gunzipSync } from 'node:zlib';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import type { BeginAnswer, CollectorEvent } from '../messages/collector-event.ts';
import type { InputsMark } from '../messages/inputs-mark.ts';
import { folderOf, OWN_BUCKET, runFolder, urlOf } from '../messages/results-place.ts';
import type { ResultsOf, SeedRequest } from '../messages/seed-request.ts';
import type { Names } from '../names.ts';
import { Bitmap } from '../run/bitmap.ts';
import { callFunction } from '../run/call-function.ts';
import { findQueue } from '../run/queues.ts';
import { checkSameRun } from './same-run.ts';

/** Access to the deployment's collector function, and the folder that it uses by default. */
export interface StoredResults {
  lambda: LambdaClient;
  /** `s3://bucket/prefix/`. */
  place: string;
}

/** A run whose results are stored, as it begins. */
export interface BegunStored {
  /** The folder of its results, `s3://bucket/prefix/<runId>/`. */
  output: string;
  /** What it has of a run that it continues. */
  kept: KeptInputs | undefined;
}

export interface KeptInputs {
  /** Number of inputs of the earlier run. */
  inputs: number;
  /** The inputs whose results stay. */
  settled: Pick<Bitmap, 'has'>;
  mark: InputsMark | undefined;
}

/**
 * Has the collector function check the place of a run's results, before anything is queued. Returns
 * undefined if the results are not stored.
 *
 * @throws FanfoldError when the place can't be used, the run goes on elsewhere, or the deployment
 * stores no results
 */
export async function beginStored(
  { task, results, indexes, maxFailures, hedge, pauseWhenFailing }: SeedRequest,
  { runId, expiresAt }: { runId: string; expiresAt: number },
  { sqs, names, stored }: { sqs: SQSClient; names: Names; stored?: StoredResults | undefined },
): Promise<BegunStored | undefined> {
  if (results === undefined || results === 'own' || results === 'shared') return undefined;
  if (stored === undefined) throw notStored(names);
  const wanted: Extract<ResultsOf, object> = results === 's3' ? { s3: stored.place } : results;
  const { s3, ...how } = wanted;
  const output = urlOf(runFolder(folderOf(s3 === OWN_BUCKET ? stored.place : s3), runId));
  const queueUrl = await findQueue(sqs, names.run(runId));
  if (queueUrl !== undefined) await checkSameRun(sqs, queueUrl, { runId, task, output });
  const limits = { maxFailures, hedge, pauseWhenFailing };
  // A caller that names the indexes has left those out whose results stay.
  const needsKept = how.continues !== undefined && indexes === undefined;
  const about = { runId, task, expiresAt, ...how, ...limits };
  const event: CollectorEvent = { begin: { ...about, output, needsKept } };
  const { kept } = await callFunction<BeginAnswer>(stored.lambda, names.collector, event);
  if (kept === undefined) return { output, kept };
  const { inputs, mark } = kept;
  const settled = new Bitmap();
  settled.restore(gunzipSync(Buffer.from(kept.settled, 'base64')));
  return { output, kept: { inputs, settled, mark } };
}

/** The refusal of fewer inputs than the run has that is continued. */
export function fewerInputs(before: number, now: number): FanfoldError {
  return new FanfoldError(
    'BadInput',
    `The run that is to be continued had ${before} inputs, and now there are ${now}: continue it with the same inputs, to which others may be appended.`,
  );
}

function notStored({ name }: Names): FanfoldError {
  return new FanfoldError(
    'BadInput',
    `The deployment "${name}" does not store results in S3: a stack does, unless its \`s3Results\` is false; a server does not.`,
  );
}
