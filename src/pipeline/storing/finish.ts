import {
  AbortMultipartUploadCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { serviceNow } from '../../clock.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { endRun, outcomeOf } from '../run/ended.ts';
import { RunLedger } from '../run/ledger.ts';
import { findQueue } from '../run/queues.ts';
import { billOf } from '../run/run-bill.ts';
import { writeTags } from '../run/tags.ts';
import type { Announcer } from './announce.ts';
import { manifestOf } from './manifest.ts';
import { mergeParts } from './merge.ts';
import type { PartLimits } from './part-store.ts';
import type { StateObject } from './state-object.ts';
import { tabulate } from './tabulate.ts';

/** Interval of the heartbeats, in milliseconds. */
const HEARTBEAT_MS = 30_000;

/** Collectors in a row that may work on a merge without progress: it must not take them all. */
const MERGE_TRIES = 3;

export const MANIFEST = 'manifest.json';

interface FinishOptions {
  deployment: Deployment;
  s3: S3Client;
  announcer: Announcer;
  folder: S3Folder;
  runId: string;
  signal: AbortSignal;
  limits?: PartLimits | undefined;
}

/**
 * Takes the steps after a run's end, in this order: tables, merge, deletion of unlisted objects, manifest,
 * event, deletion of the run's queue. Each may be repeated by a later collector. Returns false if
 * the time ended before the last one.
 */
export async function finish(state: StateObject, options: FinishOptions): Promise<boolean> {
  const { deployment, s3, announcer, folder, runId, signal } = options;
  const queueUrl = await findQueue(deployment.sqs, deployment.names.run(runId));
  const beat = () => {
    const collectedAt = serviceNow(deployment.sqs);
    if (queueUrl) void writeTags(deployment.sqs, queueUrl, { collectedAt }).catch(() => {});
  };
  beat();
  const timer = setInterval(beat, HEARTBEAT_MS);
  try {
    if (!state.run.done.announced) {
      await tabulate(s3, folder, state);
      if (!(await merge(state, options))) return false;
      await deleteUnlisted(s3, folder, state);
      await abortUploads(s3, folder);
      const manifest = {
        ...(await manifestOf(s3, folder, state.run, deployment.names.name)),
        cost: billOf(deployment, runId, state.run.used)?.cost,
      };
      // Another collector may have the run by now, and then has written the same.
      await s3.send(
        new PutObjectCommand({
          Bucket: folder.bucket,
          Key: `${folder.prefix}${MANIFEST}`,
          Body: `${JSON.stringify(manifest, undefined, 2)}\n`,
          ContentType: 'application/json',
        }),
      );
      if (signal.aborted) return false;
      const { task, ledger, cause } = manifest;
      await announcer.ended({
        ...{ deployment: deployment.names.name, runId, task, ledger, cause },
        results: urlOf(folder),
        manifest: `${urlOf(folder)}${MANIFEST}`,
      });
      await state.replace({ done: { ...state.run.done, announced: true } });
    }
    const { task } = state.run.options;
    const bill = billOf(deployment, runId, state.run.used);
    const about = { runId, task, collector: deployment.names.collector, bill };
    const outcome = outcomeOf(about, RunLedger.restored(state.run.ledger), state.run.ended?.cause);
    // Others may have stored large inputs, and an earlier collector fetched large outputs.
    await deployment.payloads?.deleteOf(runId, true);
    if (queueUrl) await endRun(deployment, queueUrl, { ...outcome, output: urlOf(folder) });
    return true;
  } finally {
    clearInterval(timer);
  }
}

/** Merges the parts of an ordered run. Returns false if the time ended before that. */
async function merge(state: StateObject, options: FinishOptions): Promise<boolean> {
  const { done } = state.run;
  const { mergeTries = 0 } = done;
  if (!state.run.options.ordered || done.merged || mergeTries >= MERGE_TRIES) return true;
  if (options.signal.aborted) return false;
  await state.replace({ done: { ...done, mergeTries: mergeTries + 1 } });
  try {
    const pieceBytes = options.limits?.pieceBytes;
    const merged = await mergeParts(state.run, { ...options, pieceBytes });
    if ('parts' in merged) {
      const { parts } = merged;
      await state.replace({ parts, merge: undefined, done: { ...done, merged: true } });
      return true;
    }
    const tries = merged.hasProgress ? 0 : mergeTries + 1;
    const restarts = merged.hasProgress ? 0 : state.run.restarts;
    await state.replace({ merge: merged.saved, restarts, done: { ...done, mergeTries: tries } });
    return false;
  } catch (error) {
    if (state.run.merge === undefined || !isUploadLost(error)) throw error;
    // A killed collector has completed it, or written other pieces: it begins anew.
    await state.replace({ merge: undefined });
    return merge(state, options);
  }
}

function isUploadLost(error: unknown): boolean {
  return error instanceof S3ServiceException && /^(NoSuchUpload|InvalidPart)$/.test(error.name);
}

/** Deletes parts and merged objects that killed collectors have left, and parts that were merged. */
async function deleteUnlisted(s3: S3Client, folder: S3Folder, state: StateObject): Promise<void> {
  const { bucket, prefix } = folder;
  const own = state.run.parts.filter((part) => part.folder === undefined);
  const listed = new Set(own.map(({ key }) => `${prefix}${key}`));
  for (const start of ['results/', 'results.', 'failed/', 'other/', 'merge/']) {
    const list = { Bucket: bucket, Prefix: `${prefix}${start}` };
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, list)) {
      const Objects = Contents.flatMap(({ Key = '' }) => (listed.has(Key) ? [] : [{ Key }]));
      if (Objects.length === 0) continue;
      await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    }
  }
}

/**
 * Aborts uploads that killed collectors have left, whose pieces cost as objects do. Where that is
 * not allowed, a lifecycle rule of the bucket does it.
 */
async function abortUploads(s3: S3Client, { bucket, prefix }: S3Folder): Promise<void> {
  const list = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix });
  const { Uploads = [] } = await s3.send(list).catch(() => ({ Uploads: [] }));
  for (const { Key = '', UploadId } of Uploads) {
    const upload = { Bucket: bucket, Key, UploadId };
    await s3.send(new AbortMultipartUploadCommand(upload)).catch(() => {});
  }
}
