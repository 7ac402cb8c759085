import { FanfoldError, valueText } from '../../errors.ts';

const PRIORITIES = ['high', 'normal', 'low'] as const;

/** A run's share of the workers while other runs of its deployment wait for them, too. */
export type Priority = (typeof PRIORITIES)[number];

export function isPriority(value: unknown): value is Priority {
  return PRIORITIES.some((one) => one === value);
}

/**
 * @param name the option, as a message names it
 * @throws FanfoldError `BadOption`
 */
export function checkPriority(value: unknown, name = '`priority`'): void {
  if (value === undefined || isPriority(value)) return;
  throw new FanfoldError(
    'BadOption',
    `${name} must be "high", "normal" or "low"; got ${valueText(value)}.`,
  );
}

/**
 * Message groups of a run with high priority. SQS calls a group noisy if it has more than a tenth
 * of a queue's messages in flight or of its processing time, and delivers it after quiet ones. Of
 * twenty groups, each has a twentieth when their run has all workers.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
const HIGH_GROUPS = 20;

/** The group that all runs with low priority share. Run ids start with a digit. */
const LOW_GROUP = 'low';

/**
 * The message group of a chunk on the task queue, which is a fair queue. A run with normal priority
 * has one. It shares the workers equally with each other noisy group, such as that of all low runs.
 */
export function groupOf({ runId, priority }: { runId: string; priority?: Priority | undefined }) {
  if (priority === 'low') return LOW_GROUP;
  return priority === 'high' ? `${runId}.h${Math.floor(Math.random() * HIGH_GROUPS)}` : runId;
}
