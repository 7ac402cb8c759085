import {
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  type SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { count, FanfoldError } from '../../errors.ts';
import { wait } from '../../retry.ts';
import { isTransient } from '../call-errors.ts';
import { type Deployment, queueOf } from '../run/deployment.ts';

/** Progress of moving task messages back from the dead-letter queue. */
export interface Redriven {
  /** Number of messages moved so far. */
  moved: number;
  /** Approximate number of messages to move; undefined if SQS does not report it. */
  of: number | undefined;
}

/** Interval of progress checks, in milliseconds. */
const POLL_MS = 500;
/** Checks in a row that may fail; the SDK tries each a few times. */
const POLL_TRIES = 20;

/**
 * Moves the dead-letter queue's messages back to the task queue. SQS does the move, at up to 500
 * messages a second. If a move is in progress already, waits for that one.
 *
 * @param onMoved called with the progress
 * @throws FanfoldError `BadOption` when there is no such deployment, `RunFailed` when SQS gives up
 */
export async function redrive(
  deployment: Pick<Deployment, 'sqs' | 'names'>,
  onMoved: (sofar: Redriven) => void = () => {},
): Promise<Redriven> {
  const { sqs, names } = deployment;
  const arn = async (queue: string) => arnOf(sqs, await queueOf(deployment, queue));
  const [SourceArn, DestinationArn] = await Promise.all([arn(names.dead), arn(names.tasks)]);
  const before = await latest(sqs, SourceArn);
  if (before?.Status !== 'RUNNING') {
    // Workers send unreadable messages to this queue: SQS does not know the source queue of those.
    await sqs.send(new StartMessageMoveTaskCommand({ SourceArn, DestinationArn }));
  }
  for (;;) {
    const move = await latest(sqs, SourceArn);
    // SQS may report the previous move for a moment.
    const isOld =
      before?.Status !== 'RUNNING' && move?.StartedTimestamp === before?.StartedTimestamp;
    if (isOld) {
      await wait(POLL_MS);
      continue;
    }
    const sofar = {
      moved: move?.ApproximateNumberOfMessagesMoved ?? 0,
      of: move?.ApproximateNumberOfMessagesToMove,
    };
    onMoved(sofar);
    if (move?.Status === 'COMPLETED') return sofar;
    if (move?.Status === 'FAILED' || move?.Status === 'CANCELLED') {
      throw new FanfoldError(
        'RunFailed',
        `SQS has moved ${count(sofar.moved, 'message')} from ${names.dead} to ${names.tasks}, then stopped (${move.FailureReason ?? move.Status}): the other messages are still in ${names.dead}.`,
      );
    }
    await wait(POLL_MS);
  }
}

async function arnOf(sqs: SQSClient, QueueUrl: string): Promise<string> {
  const { Attributes: { QueueArn = '' } = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }),
  );
  return QueueArn;
}

/** The move that was started last; undefined when there was none. */
async function latest(
  sqs: SQSClient,
  SourceArn: string,
): Promise<ListMessageMoveTasksResultEntry | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      const { Results = [] } = await sqs.send(
        new ListMessageMoveTasksCommand({ SourceArn, MaxResults: 1 }),
      );
      return Results[0];
    } catch (error) {
      if (!isTransient(error) || tries === POLL_TRIES) throw error;
      await wait(POLL_MS);
    }
  }
}
