import { gzipSync } from 'node:zlib';
import { type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { FanfoldError, messageOf } from '../../errors.ts';
import { isDenied, isTransient } from '../call-errors.ts';
import type { BeginAnswer, BeginEvent, StoredRunOptions } from '../messages/collector-event.ts';
import { folderOf, isWithin, type S3Folder, urlOf } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { continuingRun } from './continuing-run.ts';
import { newStoredRun, type StoredRun } from './state.ts';
import { StateObject } from './state-object.ts';

/**
 * The folder that an event names, if this deployment may store results there.
 *
 * @throws FanfoldError `BadInput` when it is no folder, or not in one of the deployment's places
 */
export function allowedFolder(output: string, places: readonly S3Folder[]): S3Folder {
  const folder = folderOf(output);
  if (isWithin(folder, places)) return folder;
  throw new FanfoldError(
    'BadInput',
    `Results may be stored in ${places.map(urlOf).join(', ')}; got ${output}. Add the place to the stack's \`resultPlaces\`.`,
  );
}

export interface BeginOptions {
  deployment: Pick<Deployment, 'sqs' | 'names'>;
  s3: S3Client;
  /** Folders in which this deployment may store results. */
  places: readonly S3Folder[];
}

/**
 * Creates the record of a run, which proves that its results can be stored. It may be repeated
 * until the run's end, and by an equal request afterwards: a short run may end while the caller
 * still tries to get the answer.
 *
 * @throws FanfoldError `BadInput` when the folder can't be written, or holds another run
 */
export async function beginStoredRun(
  { output, needsKept = false, ...asked }: BeginEvent,
  { deployment, s3, places }: BeginOptions,
): Promise<BeginAnswer> {
  const folder = allowedFolder(output, places);
  const { continues } = asked;
  const earlier = continues === undefined ? undefined : allowedFolder(continues, places);
  const region = await s3.config.region();
  try {
    const begun = earlier && (await StateObject.load(s3, folder));
    if (begun === undefined) {
      const run = earlier
        ? await continuingRun(asked, earlier, { deployment, s3, folder })
        : newStoredRun({ ...asked, format: asked.format ?? 'jsonl' });
      if (await StateObject.create(s3, folder, run)) return needsKept ? keptAnswer(run) : {};
    }
    const { run } = begun ?? (await StateObject.load(s3, folder)) ?? {};
    if (run?.options.runId === asked.runId && (run.ended === undefined || isRepeated(asked, run))) {
      checkSame(asked, run.options);
      if (run.ended) return { over: { inputs: run.ledger.inputs } };
      return needsKept ? keptAnswer(run) : {};
    }
  } catch (error) {
    throw explained(error, folder, region) ?? error;
  }
  throw new FanfoldError(
    'BadInput',
    `${urlOf(folder)} already holds the results of a run: use another prefix, or leave \`runId\` out.`,
  );
}

function isRepeated({ request }: Pick<BeginEvent, 'request'>, { options }: StoredRun): boolean {
  return request !== undefined && request === options.request;
}

/** @throws FanfoldError `BadInput` when the run was begun with results of another form */
function checkSame(asked: Omit<BeginEvent, 'output'>, begun: StoredRunOptions): void {
  const { continues } = asked;
  if (continues !== begun.continues) throw differs(begun, 'continues', continues);
  if (asked.task !== begun.task) throw differs(begun, 'task', asked.task);
  // A run that continues another one has the form of that one.
  if (continues !== undefined) return;
  const { format = 'jsonl', compression, ordered = false } = asked;
  if (format !== begun.format) throw differs(begun, 'format', format);
  if (compression !== begun.compression) throw differs(begun, 'compression', compression);
  if (ordered !== (begun.ordered ?? false)) throw differs(begun, 'ordered', ordered);
}

function differs(
  begun: StoredRunOptions,
  fact: 'task' | 'format' | 'compression' | 'ordered' | 'continues',
  now: string | boolean | undefined,
): FanfoldError {
  const shown = (value: string | boolean | undefined) => value ?? 'none';
  return new FanfoldError(
    'BadInput',
    `Run ${begun.runId} has begun already, with the \`${fact}\` ${shown(begun[fact])}; this request has ${shown(now)}. Leave \`runId\` out for a new run.`,
  );
}

/** Most characters of a bitmap in an answer: Lambda allows 6 MB. */
const MAX_ANSWER = 5_500_000;

function keptAnswer({ options, ledger: { inputs, settled } }: StoredRun): BeginAnswer {
  const { mark } = options;
  const text = gzipSync(settled).toString('base64');
  if (text.length <= MAX_ANSWER) return { kept: { inputs, settled: text, mark } };
  throw new FanfoldError(
    'BadInput',
    `The results of ${options.continues} are too many, and too scattered, for the seed function to leave them out. Download the inputs, and continue the run from the file.`,
  );
}

/** A sentence for a bucket that can't be used; undefined for errors that may pass. */
function explained(error: unknown, folder: S3Folder, region: string): FanfoldError | undefined {
  if (!(error instanceof S3ServiceException) || isTransient(error)) return undefined;
  const url = urlOf(folder);
  const refused = (why: string) =>
    new FanfoldError('BadInput', `${url} can't be used for results: ${why}`, { cause: error });
  if (error.name === 'NoSuchBucket')
    return refused(`the bucket "${folder.bucket}" does not exist.`);
  if (error.name === 'PermanentRedirect' || error.$metadata.httpStatusCode === 301) {
    return refused(
      `the bucket "${folder.bucket}" is in another region than this deployment, which is in ${region}.`,
    );
  }
  if (isDenied(error) || error.$metadata.httpStatusCode === 403) {
    return refused(
      `access was denied (${error.message}). Add the bucket to the stack's \`resultPlaces\`, and check the bucket's own policy and key.`,
    );
  }
  return refused(messageOf(error));
}
