import { hash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import { retry } from '../../retry.ts';
import type { BeginAnswer, CollectorEvent, OverRun } from '../messages/collector-event.ts';
import { type InputsMark, markText } from '../messages/inputs-mark.ts';
import { folderOf, OWN_BUCKET, runFolder, urlOf } from '../messages/results-place.ts';
import type { ResultsOf, SeedRequest } from '../messages/seed-request.ts';
import type { Names } from '../names.ts';
import { Bitmap } from '../run/bitmap.ts';
import { callFunction, FunctionFault } from '../run/call-function.ts';
import { findQueue } from '../run/queues.ts';
import { checkSameRun } from './same-run.ts';

/** Tries of a collector function that dies as it begins a run. */
const BEGIN_TRIES = 3;

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
  /** Set if the run is over already. */
  over: OverRun | undefined;
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
  request: SeedRequest,
  { runId, expiresAt, mark }: { runId: string; expiresAt: number; mark?: InputsMark | undefined },
  { sqs, names, stored }: { sqs: SQSClient; names: Names; stored?: StoredResults | undefined },
): Promise<BegunStored | undefined> {
  const { task, results, indexes, maxFailures, hedge, pauseWhenFailing } = request;
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
  const about = { runId, task, expiresAt, ...how, ...limits, request: digestOf(request, mark) };
  const event: CollectorEvent = { begin: { ...about, output, needsKept } };
  const begin = () => callFunction<BeginAnswer>(stored.lambda, names.collector, event);
  const begun = await retry(begin, {
    while: (error, failures) => error instanceof FunctionFault && failures < BEGIN_TRIES,
  });
  const { kept, over } = begun;
  if (kept === undefined) return { output, kept, over };
  const { inputs, mark: before } = kept;
  const settled = new Bitmap();
  settled.restore(gunzipSync(Buffer.from(kept.settled, 'base64')));
  return { output, kept: { inputs, settled, mark: before }, over };
}

/** Digest of a run's first request. An object is read in pages that may differ between two tries. */
function digestOf(
  { task, inputs, first = 0, indexes, total, more = false }: SeedRequest,
  mark: InputsMark | undefined,
): string {
  const asked = mark ? [markText(mark)] : [inputs, first, indexes, total, more];
  return hash('sha256', JSON.stringify([task, ...asked]), 'base64url');
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
