import { FanfoldError } from '../../errors.ts';
import { type CallOptions, checkOptions, FLAG } from '../../options.ts';
import { causeOf } from '../collecting/phase.ts';
import { Run } from '../collecting/run.ts';
import type { RunOptions } from '../collecting/run-options.ts';
import type { Deployment } from '../run/deployment.ts';
import { listEnded, outcomeOfStatus } from '../run/ended.ts';
import { findQueue, removeQueue } from '../run/queues.ts';
import {
  checkRunId,
  hasExpired,
  isComplete,
  isOver,
  type RunStatus,
  refuseCollected,
  runsOf,
  statusOf,
  unknownRun,
} from '../run/status.ts';
import { collectedByFunction } from './collected-by-function.ts';

/** Options of `collect`, with the meaning that they have for `map`. */
export type CollectOptions = Pick<RunOptions, 'earlier' | 'ordered' | 'signal' | 'collector'>;

/**
 * Collects a run that another process started and left.
 *
 * @throws FanfoldError `UnknownRun`; `BadOption` when it is of another task, or is being collected
 */
export async function collectRun<Output>(
  deployment: Deployment,
  task: string,
  runId: string,
  options: CollectOptions = {},
): Promise<Run<Output>> {
  checkRunId(runId);
  const status = await statusOf(deployment, runId);
  if (status === undefined) throw unknownRun(runId, deployment.names.name);
  if (status.task !== task) {
    throw new FanfoldError(
      'BadOption',
      `Run ${runId} maps the task "${status.task}", not "${task}".`,
    );
  }
  if (status.output !== undefined) throw collectedByFunction(deployment, runId, status.output);
  refuseCollected(status, options.collector);
  const { expiresAt, createdAt: born } = status;
  return new Run<Output>(deployment, task, undefined, {
    ...options,
    deadlineSeconds: expiresAt && (expiresAt - born) / 1000,
    resume: { runId },
  });
}

/** Options of `prune`. */
export interface PruneOptions {
  /**
   * Whether to delete the queues of all runs, also of those that are not over: their results are
   * lost. The deployment may be gone already.
   * @default false
   */
  all?: boolean;
}

const PRUNE_OPTIONS: CallOptions = { call: 'prune()', kinds: { all: FLAG } };

/** Queues that are deleted in parallel. */
const DELETIONS = 8;

/**
 * Deletes the queues of runs that have ended or whose deadline has passed; returns these runs. Runs
 * whose results are stored in S3 are left to their collector, unless `all` are deleted.
 */
export async function pruneRuns(
  deployment: Deployment,
  options: PruneOptions = {},
): Promise<RunStatus[]> {
  checkOptions(PRUNE_OPTIONS, options);
  const { all = false } = options;
  const pruned: RunStatus[] = [];
  for await (const status of runsOf(deployment)) {
    if (all || (status.output === undefined && isOver(status))) pruned.push(status);
  }
  const left = pruned.values();
  const deleteLeft = async () => {
    for (const status of left) {
      const url = await findQueue(deployment.sqs, deployment.names.run(status.runId));
      if (url === undefined) continue;
      await listEnded(deployment, url, outcomeOfStatus(status, causeOfPruned(status)));
      await removeQueue(deployment.sqs, url);
      await deployment.payloads?.deleteOf(status.runId, true);
    }
  };
  await Promise.all(Array.from({ length: DELETIONS }, deleteLeft));
  return pruned;
}

/** Reason why a run ended early; undefined if only its queue was left. */
function causeOfPruned(status: RunStatus): string | undefined {
  if (isComplete(status)) return undefined;
  return causeOf({ is: hasExpired(status) ? 'deadline' : 'queueDeleted' });
}
