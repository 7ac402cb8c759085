import type { S3Client } from '@aws-sdk/client-s3';
import type { Cost } from '../../planning/cost.ts';
import { type FailureGroup, FailureKinds } from '../messages/failure-kinds.ts';
import type { FailedResult } from '../messages/result.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import { createdAt } from '../names.ts';
import type { Ledger } from '../run/ledger.ts';
import { linesOf } from './part-reader.ts';
import type { Part, StoredRun } from './state.ts';

/** `manifest.json`: what a run's folder holds. It is written last. */
export interface Manifest {
  v: 1;
  runId: string;
  task: string;
  /** The deployment's name. */
  deployment: string;
  /** Times in ISO 8601, in UTC. */
  createdAt: string;
  endedAt: string;
  ledger: Pick<Ledger, 'inputs' | 'ok' | 'failed' | 'cancelled'>;
  /** Reason why the run ended early, such as `it was cancelled`; missing if it did not. */
  cause?: string | undefined;
  format: string;
  compression?: string | undefined;
  /** Whether the results are one object in input order. */
  ordered: boolean;
  /** The folder, to which the keys of parts are relative that name no other folder. */
  folder: string;
  /** The folder of the run that this one continues, and of which it has results. */
  continues?: string | undefined;
  /** In the order in which they were written. */
  parts: Part[];
  /** The most frequent first. */
  failures: FailureGroup[];
  /**
   * What the run has cost, as metered, up to the writing of this; missing in runs of earlier
   * versions.
   */
  cost?: Cost | undefined;
}

/** Makes the manifest of a run that has ended; reads its failures. */
export async function manifestOf(
  s3: S3Client,
  folder: S3Folder,
  run: StoredRun,
  deployment: string,
): Promise<Manifest> {
  const { runId, task, format, compression, continues } = run.options;
  const { inputs, ok, failed, cancelled } = run.ledger;
  const iso = (time = 0) => new Date(time).toISOString();
  return {
    v: 1,
    ...{ runId, task, deployment },
    createdAt: iso(createdAt(runId)),
    endedAt: iso(run.ended?.at),
    ledger: { inputs, ok, failed, cancelled },
    cause: run.ended?.cause,
    ...{ format, compression, ordered: run.done.merged === true && isOne(run.parts) },
    ...{ folder: urlOf(folder), continues },
    parts: run.parts,
    failures: await failuresOf(s3, folder, run.parts),
  };
}

/** Whether all results are in one object. A sorted table of an earlier run stays beside another. */
function isOne(parts: readonly Part[]): boolean {
  return parts.filter(({ kind }) => kind === 'results').length <= 1;
}

/** The beginning of a failed result. Millions of others may be cancelled, which need no parsing. */
const FAILED = /^\{"index":\d+,"status":"failed"/;

async function failuresOf(
  s3: S3Client,
  folder: S3Folder,
  parts: readonly Part[],
): Promise<FailureGroup[]> {
  const kinds = new FailureKinds();
  for (const part of parts) {
    if (part.kind !== 'failed') continue;
    for await (const lines of linesOf(s3, folder, part)) {
      for (const line of lines) {
        if (FAILED.test(line)) kinds.add(JSON.parse(line) as FailedResult);
      }
    }
  }
  return kinds.groups;
}
