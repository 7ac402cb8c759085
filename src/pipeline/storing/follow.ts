import type { S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../../errors.ts';
import { growth, retry, wait } from '../../retry.ts';
import { isTransient, PATIENCE_MS } from '../call-errors.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { type RunStatus, statusOf } from '../run/status.ts';
import type { Manifest } from './manifest.ts';
import { noRunIn, readManifest } from './read.ts';
import { StateObject } from './state-object.ts';

/** First and longest pause between looks at a run, in milliseconds. */
const LOOK_MS = 250;
const LOOK_CAP_MS = 2_000;

/** Interval at which the record of a run without a live collector is read, in milliseconds. */
const RECORD_MS = 60_000;

export interface FollowOptions {
  deployment: Pick<Deployment, 'sqs' | 'names'>;
  s3: S3Client;
  folder: S3Folder;
  runId: string;
  /** Whether the run is known to be over. */
  isOver: boolean;
  /** Called with each look. */
  onStatus: (status: RunStatus) => void;
  signal: AbortSignal;
}

/**
 * Waits for a run's end, which is when its queue is deleted. Returns its manifest.
 *
 * @throws the signal's reason; FanfoldError `UnknownRun` when the folder holds no run, `RunFailed`
 * when the run ended without a manifest, its collector was given up, or its record was deleted
 */
export async function manifestAtEnd(options: FollowOptions): Promise<Manifest> {
  const { deployment, s3, folder, runId, isOver, onStatus, signal } = options;
  const patiently = <Answer>(call: () => Promise<Answer>) =>
    retry(call, {
      while: (error, _, failingMs) => isTransient(error) && failingMs < PATIENCE_MS,
      signal,
    });
  let recordReadAt = performance.now();
  for (let looks = 0; !isOver; looks++) {
    const status = await patiently(() => statusOf(deployment, runId));
    signal.throwIfAborted();
    if (status === undefined) break;
    onStatus(status);
    const isAlone = status.collector === undefined;
    if (isAlone && performance.now() - recordReadAt > RECORD_MS) {
      recordReadAt = performance.now();
      const state = await patiently(() => StateObject.load(s3, folder));
      if (state === undefined) throw recordGone(runId, folder);
      if (state.run.isGivenUp) throw givenUp(runId);
    }
    await wait(growth(looks, LOOK_MS, LOOK_CAP_MS), signal);
    signal.throwIfAborted();
  }
  const manifest = await patiently(() => readManifest(s3, folder));
  if (manifest) return manifest;
  if (isOver && !(await patiently(() => StateObject.load(s3, folder)))) throw noRunIn(folder);
  throw new FanfoldError(
    'RunFailed',
    `Run ${runId} is over, but ${urlOf(folder)} has no manifest.json: the run's queue was deleted before its results were complete.`,
  );
}

/** The error of a run whose record was deleted while it went on, by a user or a lifecycle rule. */
export function recordGone(runId: string, folder: S3Folder): FanfoldError {
  const url = urlOf(folder);
  return new FanfoldError(
    'RunFailed',
    `The record of run ${runId}, ${url}state, was deleted while the run went on: no collector can continue it. Results that were stored may still be in ${url}. To end the run, and delete its queue: fanfold cancel ${runId}`,
  );
}

function givenUp(runId: string): FanfoldError {
  return new FanfoldError(
    'RunFailed',
    `The collector function of run ${runId} was restarted several times without progress, and has been given up: see its log for the reason. To collect the run from here: fanfold collect ${runId}`,
  );
}
