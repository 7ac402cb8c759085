import type { S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { wait } from '../../retry.ts';
import { causeOf } from '../collecting/phase.ts';
import { noticeBody } from '../messages/notice.ts';
import { folderOf } from '../messages/results-place.ts';
import type { Deployment } from '../run/deployment.ts';
import { listEnded, outcomeOfStatus } from '../run/ended.ts';
import { deleteQueue, findQueue } from '../run/queues.ts';
import { checkRunId, readStatus, unknownRun } from '../run/status.ts';

/** Time in which a collector must end its run before it counts as absent, in milliseconds. */
const COLLECTOR_MS = 10_000;
const POLL_MS = 250;

/** Outcome of a cancellation. */
export interface Cancelled {
  /** Whether a collector ended the run. If not, the results in its queue are lost. */
  byCollector: boolean;
  /**
   * Whether the run goes on for a moment: its collector function has been told, and first stores
   * the results that were received. @default false
   */
  isEnding?: boolean;
}

/**
 * Cancels a run. Its collector is asked to end it. If none does, the run's queue is deleted, from
 * which workers learn that the run is over. If its results are stored in S3, the queue stays: the
 * next collector function finds the request there. Without the run's record there will be none.
 *
 * @param s3 finds the records of runs whose results are stored. @default they count as present
 * @throws FanfoldError `BadOption` when `runId` is not a run id, `UnknownRun` when there is no such
 * run
 */
export async function cancelRun(
  { sqs, names, payloads }: Pick<Deployment, 'sqs' | 'names' | 'payloads'>,
  runId: string,
  s3?: () => Promise<S3Client>,
): Promise<Cancelled> {
  checkRunId(runId);
  const queue = names.run(runId);
  const QueueUrl = await findQueue(sqs, queue);
  if (QueueUrl === undefined) throw unknownRun(runId, names.name);
  const MessageBody = noticeBody(runId, { notice: 'cancel' });
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  // The list of ended runs must not keep the run from being cancelled.
  const look = () => readStatus(sqs, QueueUrl, runId).catch(() => undefined);
  const { output, collector } = (await look()) ?? {};
  const isGone = collector === undefined && output && s3 && !(await hasRecord(await s3(), output));
  // It may have to store much before it ends.
  if (output !== undefined && !isGone) return { byCollector: true, isEnding: true };
  for (
    const until = performance.now() + COLLECTOR_MS;
    !isGone && performance.now() < until;
    await wait(POLL_MS)
  ) {
    if ((await findQueue(sqs, queue)) === undefined) return { byCollector: true };
  }
  const status = await look();
  if (status) {
    const cause = causeOf({ is: 'cancelled' });
    await listEnded({ sqs, names }, QueueUrl, outcomeOfStatus(status, cause));
  }
  await deleteQueue(sqs, QueueUrl);
  await payloads?.deleteOf(runId, true);
  return { byCollector: false };
}

/** Whether a run's record exists; also if that can't be seen from here. */
async function hasRecord(s3: S3Client, output: string): Promise<boolean> {
  const { StateObject } = await import('../storing/state-object.ts');
  const looking = StateObject.load(s3, folderOf(output));
  return looking.then((state) => state !== undefined).catch(() => true);
}
