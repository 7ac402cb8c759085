import type { SQSClient } from '@aws-sdk/client-sqs';
import { isMissingQueue } from '../call-errors.ts';
import type { InputsMark } from '../messages/inputs-mark.ts';
import { noticeBody } from '../messages/notice.ts';
import { sendAll } from './send.ts';
import { writeTags } from './tags.ts';

/**
 * Writes to the tags of a run's queue that these were all inputs, which must succeed, and notifies
 * a live collector, which then reads them at once. If that notice is lost, the collector reads them
 * half a minute later.
 */
export async function sealRun(
  sqs: SQSClient,
  queueUrl: string,
  { runId, total, inputs }: { runId: string; total: number; inputs?: InputsMark | undefined },
): Promise<void> {
  try {
    await writeTags(sqs, queueUrl, { state: 'sealed', total, inputs });
  } catch (error) {
    // The collector has ended the run.
    if (!isMissingQueue(error)) throw error;
    return;
  }
  const body = noticeBody(runId, { notice: 'sealed' });
  await sendAll(sqs, queueUrl, [{ body }]).catch(() => {});
}

/** Notifies a run's collector that no more of its inputs can be read, which ends it. */
export async function breakRun(
  sqs: SQSClient,
  queueUrl: string,
  { runId, message }: { runId: string; message: string },
): Promise<void> {
  const body = noticeBody(runId, { notice: 'broken', message });
  await sendAll(sqs, queueUrl, [{ body }]).catch((failure: unknown) => {
    // The run is over: there is no collector to notify.
    if (!isMissingQueue(failure)) throw failure;
  });
}
