import type { S3Client } from '@aws-sdk/client-s3';
import { serviceNow } from '../../clock.ts';
import { Run } from '../collecting/run.ts';
import { RunStatistics } from '../collecting/run-statistics.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import { createdAt } from '../names.ts';
import type { Deployment } from '../run/deployment.ts';
import { type Ledger, RunLedger } from '../run/ledger.ts';
import { findQueue } from '../run/queues.ts';
import { billOf } from '../run/run-bill.ts';
import { readTags } from '../run/tags.ts';
import type { Announcer } from './announce.ts';
import { finish } from './finish.ts';
import { type PartLimits, PartStore } from './part-store.ts';
import type { StoredRun } from './state.ts';
import { StateObject, Superseded } from './state-object.ts';

export interface CollectStoredOptions {
  deployment: Deployment;
  s3: S3Client;
  announcer: Announcer;
  /** The folder of the run's results. */
  folder: S3Folder;
  runId: string;
  /** The collector that this one follows. */
  epoch: number;
  /** Id of this collector: that of its invocation, which stays the same when it is repeated. */
  owner: string;
  /** Whether the collector before is presumed dead. @default false */
  isRestart?: boolean;
  /** Aborted when this collector must end soon. */
  signal: AbortSignal;
  limits?: PartLimits | undefined;
  /** Called with the ledger when results have been received. */
  onProgress?: (ledger: Ledger) => void;
}

/**
 * What became of a run: it has ended; this collector's time is up, and the one of the next epoch
 * must follow; or another collector has replaced this one.
 */
export type Collected = { is: 'over' } | { is: 'continues'; epoch: number } | { is: 'superseded' };

/**
 * Collects a run into S3, as far as the time allows. Several collectors may be given the same run:
 * the record of the run lets only the last one store results.
 */
export async function collectStored(options: CollectStoredOptions): Promise<Collected> {
  const { s3, folder } = options;
  try {
    const state = await StateObject.load(s3, folder);
    // The folder was deleted, or the run has ended before this event arrived.
    if (state === undefined || !(await claim(state, options))) return { is: 'superseded' };
    if (state.run.ended === undefined && !(await collect(state, options))) {
      return { is: 'continues', epoch: state.run.epoch };
    }
    const isOver = await finish(state, options);
    return isOver ? { is: 'over' } : { is: 'continues', epoch: state.run.epoch };
  } catch (error) {
    if (error instanceof Superseded) return { is: 'superseded' };
    throw error;
  }
}

/** Makes this collector the present one. Returns false if a later one has the run. */
async function claim(
  state: StateObject,
  { epoch, owner, isRestart = false }: CollectStoredOptions,
): Promise<boolean> {
  const { run } = state;
  // Lambda repeats an invocation that failed, and it may have claimed the run before.
  const isRepeated = run.owner === owner && run.epoch > epoch;
  if (run.epoch !== epoch && !isRepeated) return false;
  const restartsOf = ({ restarts, ended }: StoredRun) => {
    // Lambda's repetitions belong to the same restart.
    if (isRepeated) return restarts;
    if (isRestart) return restarts + 1;
    // A collector that hands over was healthy, but the steps after a run's end must make progress.
    return ended === undefined ? 0 : restarts;
  };
  await state.replace({ epoch: run.epoch + 1, owner, restarts: restartsOf(run) });
  return true;
}

/** Returns false if the time ended before the run did. */
async function collect(state: StateObject, options: CollectStoredOptions): Promise<boolean> {
  const { deployment, s3, folder, runId, announcer, signal, limits, onProgress } = options;
  const { task, expiresAt, maxFailures, hedge, pauseWhenFailing } = state.run.options;
  const { done } = state.run;
  if (!done.started) {
    const { name } = deployment.names;
    await announcer.started({ deployment: name, runId, task, results: urlOf(folder) });
    await state.replace({ done: { ...done, started: true } });
  }
  const ledger = RunLedger.restored(state.run.ledger);
  const bill = billOf(deployment, runId, state.run.used);
  const now = () => serviceNow(deployment.sqs);
  const statistics = RunStatistics.of(runId, now, { before: state.run.statistics });
  const store = new PartStore({ s3, folder, state, ledger, statistics, limits, bill });
  const deadlineSeconds = (expiresAt - (createdAt(runId) ?? 0)) / 1000;
  const run = new Run(
    deployment,
    task,
    undefined,
    {
      ...{
        deadlineSeconds,
        maxFailures,
        hedge,
        pauseWhenFailing,
        earlier: ledger,
        resume: { runId },
      },
      collector: deployment.names.collector,
    },
    store,
  );
  const leave = () => run.leave();
  signal.addEventListener('abort', leave);
  if (signal.aborted) leave();
  try {
    for await (const batch of run.batches()) {
      await store.add(batch);
      onProgress?.(run.ledger);
    }
  } catch (error) {
    // The run goes on without this collector.
    run.leave();
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
  }
  if (run.cause === undefined && !ledger.balanced) return false;
  const inputs = await inputsOf(deployment, runId);
  await store.end({ at: now(), cause: run.cause, inputs });
  return true;
}

/** The mark of a run's inputs. Without it, a run that continues this one can't compare its own. */
async function inputsOf({ sqs, names }: Deployment, runId: string) {
  try {
    const url = await findQueue(sqs, names.run(runId));
    return url === undefined ? undefined : (await readTags(sqs, url)).inputs;
  } catch {
    return undefined;
  }
}
