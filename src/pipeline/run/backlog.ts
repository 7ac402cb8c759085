import { GetQueueAttributesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { type Deployment, noDeployment } from './deployment.ts';
import { findQueue } from './queues.ts';

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
export async function backlogOf({
  sqs,
  names,
}: Pick<Deployment, 'sqs' | 'names'>): Promise<Backlog> {
  const url = await findQueue(sqs, names.tasks);
  if (url === undefined) throw noDeployment(names, `queue ${names.tasks}`);
  return countOf(sqs, url);
}

export async function countOf(sqs: SQSClient, QueueUrl: string): Promise<Backlog> {
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
