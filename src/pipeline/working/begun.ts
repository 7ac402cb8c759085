import { serviceNow } from '../../clock.ts';
import type { AnyTask } from '../../task.ts';
import type { Chunk } from '../messages/chunk.ts';
import { noticeBody } from '../messages/notice.ts';
import { sendAll } from '../run/send.ts';
import type { TaskMessage } from './task-message.ts';
import type { WorkerOptions } from './worker-options.ts';

/**
 * Longest time from an attempt's timeout to the report of its outcome, in seconds. It is shorter
 * than the margin of a claim, by more than two corrected clocks differ: a message that returns
 * because its worker has died returns later.
 */
const REPORT_SECONDS = 25;

/** Notifies the collector that an item, alone in its message, is about to be run once more. */
export async function announceBegun(
  { sqs, worker }: Pick<WorkerOptions, 'sqs' | 'worker'>,
  { timeoutSeconds }: AnyTask,
  { id: message }: TaskMessage,
  { runId, attempt, resultQueueUrl, items }: Chunk,
): Promise<void> {
  const at = Math.round(serviceNow(sqs));
  const until = Math.ceil(at + (timeoutSeconds + REPORT_SECONDS) * 1000);
  const bodies = items.map(({ index }) => {
    const id = crypto.randomUUID();
    const about = { worker, index, attempt, message, id, at, until };
    return { body: noticeBody(runId, { notice: 'begun', ...about }) };
  });
  await sendAll(sqs, resultQueueUrl, bodies);
}
