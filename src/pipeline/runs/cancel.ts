import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { wait } from '../../retry.ts';
import { noticeBody } from '../messages/notice.ts';
import type { Deployment } from '../run/deployment.ts';
import { deleteQueue, findQueue } from '../run/queues.ts';
import { checkRunId, unknownRun } from '../run/status.ts';

/** How long a collector may take to end its run until nobody is thought to collect. */
const COLLECTOR_MS = 10_000;
const LOOK_MS = 250;

/** How a run was cancelled. */
export interface Cancelled {
  /** Whether a collector ended it. Else nobody collects, and results that were there are gone. */
  byCollector: boolean;
}

/**
 * Cancels a run, whoever collects it: its collector is asked to, and where none answers, its queue
 * is deleted, which tells workers that it is over.
 *
 * @throws FanfoldError `BadOption` for what is no run id, `UnknownRun` when there is no such run
 */
export async function cancelRun(
  { sqs, names }: Pick<Deployment, 'sqs' | 'names'>,
  runId: string,
): Promise<Cancelled> {
  checkRunId(runId);
  const queue = names.run(runId);
  const QueueUrl = await findQueue(sqs, queue);
  if (QueueUrl === undefined) throw unknownRun(runId, names.name);
  const MessageBody = noticeBody(runId, { notice: 'cancel' });
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  for (
    const until = performance.now() + COLLECTOR_MS;
    performance.now() < until;
    await wait(LOOK_MS)
  ) {
    if ((await findQueue(sqs, queue)) === undefined) return { byCollector: true };
  }
  await deleteQueue(sqs, QueueUrl);
  return { byCollector: false };
}
