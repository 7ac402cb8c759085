import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
  type QueueProps,
} from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { FanfoldProps } from './props.ts';

/** SQS's longest retention, for tasks, results and dead letters. */
const RETENTION = Duration.days(14);

/** Runs that have ended are listed for a day. */
const ENDED_RETENTION = Duration.days(1);

/** Time that a reader has to process received results, the same as with a run's own queue. */
const RESULT_VISIBILITY = Duration.minutes(5);

/** Difference between the task queue's visibility timeout and the worker function's timeout. */
const VISIBILITY_MARGIN = Duration.minutes(1);

/**
 * Number of receives after which SQS moves a task message to the dead-letter queue. It is high,
 * because a throttled event source raises the receive count without any worker's fault.
 */
const MAX_RECEIVE_COUNT = 100;

/** Each lane is a message group of its own, which waits for no other one. */
const LANES = {
  fifo: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
};

interface QueuesOptions {
  /** The deployment's name. */
  readonly name: string;
  readonly props: FanfoldProps;
  /** Timeout of the worker function. */
  readonly timeout: Duration;
}

/** Makes a deployment's queues. */
export function makeQueues(scope: Construct, { name, props, timeout }: QueuesOptions) {
  const { encryptionKey, removalPolicy = RemovalPolicy.DESTROY } = props;
  const queue = (id: string, suffix: string, more: QueueProps = {}) =>
    new Queue(scope, id, {
      queueName: `${name}-${suffix}`,
      ...(encryptionKey
        ? { encryption: QueueEncryption.KMS, encryptionMasterKey: encryptionKey }
        : { encryption: QueueEncryption.SQS_MANAGED }),
      enforceSSL: true,
      retentionPeriod: RETENTION,
      removalPolicy,
      ...more,
    });
  // Lambda requires at least the function's timeout, and recommends six times that for throttled
  // deliveries. Here, the timeout only applies to chunks whose worker died before its claim, such
  // as in INIT. A chunk whose delivery is throttled for so long is redelivered.
  // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
  const visibilityTimeout = timeout.plus(VISIBILITY_MARGIN);
  const dead = queue('DeadLetterQueue', 'tasks-dead');
  return {
    dead,
    tasks: queue('TaskQueue', 'tasks', {
      visibilityTimeout,
      deadLetterQueue: { queue: dead, maxReceiveCount: MAX_RECEIVE_COUNT },
    }),
    lanes: queue('LaneQueue', 'lanes.fifo', { visibilityTimeout, ...LANES }),
    results: queue('ResultQueue', 'results', {
      visibilityTimeout: RESULT_VISIBILITY,
      receiveMessageWaitTime: Duration.seconds(20),
    }),
    ended: queue('EndedQueue', 'ended', { retentionPeriod: ENDED_RETENTION }),
  };
}
