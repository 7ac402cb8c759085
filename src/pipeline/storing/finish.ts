import {
  DeleteObjectsCommand,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { serviceNow } from '../../clock.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { endRun, outcomeOf } from '../run/ended.ts';
import { RunLedger } from '../run/ledger.ts';
import { findQueue } from '../run/queues.ts';
import { writeTags } from '../run/tags.ts';
import type { Announcer } from './announce.ts';
import { manifestOf } from './manifest.ts';
import { mergeParts } from './merge.ts';
import type { StateObject } from './state-object.ts';

/** Interval of the heartbeats, in milliseconds. */
const HEARTBEAT_MS = 30_000;

/** Collectors that may try to merge a run's parts: one that is too large must not take them all. */
const MERGE_TRIES = 2;

export const MANIFEST = 'manifest.json';

interface FinishOptions {
  deployment: Deployment;
  s3: S3Client;
  announcer: Announcer;
  folder: S3Folder;
  runId: string;
  signal: AbortSignal;
}

/**
 * Takes the steps after a run's end, in this order: merge, deletion of unlisted objects, manifest,
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
      if (!(await merge(state, options))) return false;
      await deleteUnlisted(s3, folder, state);
      const manifest = await manifestOf(s3, folder, state.run, deployment.names.name);
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
    const about = { runId, task: state.run.options.task, collector: deployment.names.collector };
    const outcome = outcomeOf(about, RunLedger.restored(state.run.ledger), state.run.ended?.cause);
    if (queueUrl) await endRun(deployment, queueUrl, { ...outcome, output: urlOf(folder) });
    return true;
  } finally {
    clearInterval(timer);
  }
}

/** Merges the parts of an ordered run. Returns false if the time ended before that. */
async function merge(state: StateObject, { s3, folder, signal }: FinishOptions): Promise<boolean> {
  const { options, done } = state.run;
  const { mergeTries = 0 } = done;
  if (!options.ordered || done.merged || mergeTries >= MERGE_TRIES) return true;
  await state.replace({ done: { ...done, mergeTries: mergeTries + 1 } });
  try {
    const parts = await mergeParts(s3, folder, state.run, signal);
    await state.replace({ parts, done: { ...done, merged: true } });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/** Deletes parts that killed collectors have left, and parts that were merged. */
async function deleteUnlisted(s3: S3Client, folder: S3Folder, state: StateObject): Promise<void> {
  const { bucket, prefix } = folder;
  const own = state.run.parts.filter((part) => part.folder === undefined);
  const listed = new Set(own.map(({ key }) => `${prefix}${key}`));
  for (const kind of ['results', 'failed', 'other']) {
    const list = { Bucket: bucket, Prefix: `${prefix}${kind}/` };
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, list)) {
      const Objects = Contents.flatMap(({ Key = '' }) => (listed.has(Key) ? [] : [{ Key }]));
      if (Objects.length === 0) continue;
      await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    }
  }
}
