import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { ResultDraft } from '../messages/result-message.ts';
import { fieldsOf, type Used } from '../messages/used.ts';

/**
 * Reports what a process has used for a run, in a message of no results. A failure is ignored: the
 * run may be over, and later reports have all that this one has.
 *
 * @param queueUrl the run's own result queue
 */
export async function sendUsed(
  sqs: SQSClient,
  queueUrl: string,
  { runId, worker, used }: { runId: string; worker: string; used: Used },
): Promise<void> {
  const MessageBody = new ResultDraft().body(runId, worker, undefined, fieldsOf(used));
  await sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody })).catch(() => {});
}
