import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type Deployment, queueOf } from './deployment.ts';

/** Approximate numbers of messages on a queue. */
export interface Backlog {
  waiting: number;
  /** Mostly chunks that wait for a further attempt. */
  delayed: number;
  inFlight: number;
}

/**
 * Counts the chunks on a deployment's task queue, of all runs.
 *
 * @throws FanfoldError `BadOption` when there is no such deployment
 */
export async function backlogOf(deployment: Pick<Deployment, 'sqs' | 'names'>): Promise<Backlog> {
  return countOf(deployment.sqs, await queueOf(deployment));
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
