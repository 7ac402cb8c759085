import { GetQueueAttributesCommand, ListQueuesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { isDenied, isMissingQueue } from '../call-errors.ts';
import { laneQueueUrl } from '../queue-urls.ts';
import { type Deployment, queueOf } from './deployment.ts';

/** Approximate numbers of messages. */
export interface Backlog {
  waiting: number;
  /** Mostly chunks that wait for a further attempt. */
  delayed: number;
  /** Also chunks of paused runs, and of those whose rate lets them start later. */
  inFlight: number;
}

const NOTHING: Backlog = { waiting: 0, delayed: 0, inFlight: 0 };

/**
 * Counts the chunks of a deployment, of all runs: those on its task queue and those in lanes.
 *
 * @throws FanfoldError `BadOption` when there is no such deployment
 */
export async function backlogOf(deployment: Pick<Deployment, 'sqs' | 'names'>): Promise<Backlog> {
  return backlogAt(deployment.sqs, await queueOf(deployment));
}

/** Counts a deployment's chunks by the URL of its task queue. */
export async function backlogAt(
  sqs: SQSClient,
  taskQueueUrl: string,
  abortSignal?: AbortSignal,
): Promise<Backlog> {
  const lanesUrl = laneQueueUrl(taskQueueUrl);
  const [tasks, lanes] = await Promise.all([
    countOf(sqs, taskQueueUrl, abortSignal),
    countLanes(sqs, lanesUrl, abortSignal),
  ]);
  return {
    waiting: tasks.waiting + lanes.waiting,
    delayed: tasks.delayed + lanes.delayed,
    inFlight: tasks.inFlight + lanes.inFlight,
  };
}

/** Counts the chunks in lanes. A deployment of an older version has no queue for them. */
async function countLanes(
  sqs: SQSClient,
  queueUrl: string,
  abortSignal: AbortSignal | undefined,
): Promise<Backlog> {
  try {
    return await countOf(sqs, queueUrl, abortSignal);
  } catch (error) {
    if (isMissingQueue(error)) return NOTHING;
    // AWS denies a call for a queue that policies do not name, whether or not the queue exists. The
    // policies of an older deployment do not name this one.
    if (isDenied(error) && !(await isListed(sqs, queueUrl, abortSignal))) return NOTHING;
    throw error;
  }
}

/** Whether a queue is among those that the caller can list; false if the caller can list none. */
async function isListed(
  sqs: SQSClient,
  queueUrl: string,
  abortSignal: AbortSignal | undefined,
): Promise<boolean> {
  const QueueNamePrefix = queueUrl.slice(queueUrl.lastIndexOf('/') + 1);
  try {
    const listed = new ListQueuesCommand({ QueueNamePrefix });
    const { QueueUrls = [] } = await sqs.send(listed, abortSignal ? { abortSignal } : {});
    return QueueUrls.length > 0;
  } catch (error) {
    if (isDenied(error)) return false;
    throw error;
  }
}

/** Counts the messages on a queue. */
export async function countOf(
  sqs: SQSClient,
  QueueUrl: string,
  abortSignal?: AbortSignal,
): Promise<Backlog> {
  const { Attributes = {} } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl,
      AttributeNames: [
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesDelayed',
        'ApproximateNumberOfMessagesNotVisible',
      ],
    }),
    abortSignal ? { abortSignal } : {},
  );
  return {
    waiting: Number(Attributes.ApproximateNumberOfMessages ?? 0),
    delayed: Number(Attributes.ApproximateNumberOfMessagesDelayed ?? 0),
    inFlight: Number(Attributes.ApproximateNumberOfMessagesNotVisible ?? 0),
  };
}
