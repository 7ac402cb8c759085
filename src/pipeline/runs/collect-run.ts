import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import { ABSENT_MS } from '../collecting/presence.ts';
import { Run } from '../collecting/run.ts';
import type { RunOptions } from '../collecting/run-options.ts';
import { type Deployment, noDeployment } from '../deployment.ts';
import { deleteQueue, findQueue } from '../queues.ts';
import { checkRunId, type RunStatus, runsOf, statusOf, unknownRun } from './status.ts';

/** How many chunks are on a deployment's task queue, whosever they are. About: SQS counts so. */
export interface Backlog {
  waiting: number;
  /** Waiting for a further attempt, mostly. */
  delayed: number;
  inFlight: number;
}

/**
 * Collects a run that somebody else began, and left.
 *
 * @throws FanfoldError `UnknownRun`; `BadOption` when it is of another task, or is being collected
 */
export async function collectRun<Output>(
  deployment: Deployment,
  task: string,
  runId: string,
  options: Pick<RunOptions, 'earlier' | 'ordered' | 'signal'> = {},
): Promise<Run<Output>> {
  checkRunId(runId);
  const status = await statusOf(deployment, runId);
  if (status === undefined) throw unknownRun(runId, deployment.names.name);
  if (status.task !== task) {
    throw new FanfoldError(
      'BadOption',
      `Run ${runId} is of the task "${status.task}", not "${task}".`,
    );
  }
  const silentMs = Date.now() - (status.collectedAt ?? 0);
  if (silentMs < ABSENT_MS) {
    const [ago, wait] = [silentMs, ABSENT_MS - silentMs].map((ms) => Math.ceil(ms / 1000));
    throw new FanfoldError(
      'BadOption',
      `Run ${runId} is being collected: its collector was there ${ago} s ago. If it has died, collect again in ${wait} s.`,
    );
  }
  const { expiresAt, createdAt: born } = status;
  const deadline = expiresAt === undefined ? {} : { deadlineSeconds: (expiresAt - born) / 1000 };
  return new Run<Output>(deployment, task, undefined, {
    ...options,
    ...deadline,
    resume: { runId },
  });
}

/** Deletes the queues of runs that have ended, or whose deadline has passed; gives which they were. */
export async function pruneRuns(deployment: Deployment): Promise<RunStatus[]> {
  const pruned: RunStatus[] = [];
  for await (const status of runsOf(deployment)) {
    if (!isOver(status)) continue;
    const url = await findQueue(deployment.sqs, deployment.names.run(status.runId));
    if (url !== undefined) await deleteQueue(deployment.sqs, url);
    pruned.push(status);
  }
  return pruned;
}

function isOver({ state, total, ok, failed, expiresAt, collectedAt }: RunStatus): boolean {
  const isCollected = Date.now() - (collectedAt ?? 0) < ABSENT_MS;
  const hasEnded = state === 'sealed' && ok + failed === total;
  const hasExpired = expiresAt !== undefined && Date.now() > expiresAt;
  return !isCollected && (hasEnded || hasExpired);
}

/** @throws FanfoldError `BadOption` when there is no such deployment */
export async function backlogOf({ sqs, names }: Deployment): Promise<Backlog> {
  const QueueUrl = await findQueue(sqs, names.tasks);
  if (QueueUrl === undefined) throw noDeployment(names, `queue ${names.tasks}`);
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible',
      ],
    }),
  );
  return {
    waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}
