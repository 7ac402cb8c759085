/**
 * SQS's limits, each with its source. Durations are in seconds, as SQS's own attributes are.
 *
 * [quotas] https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-quotas.html
 *          and its pages on messages, queues and policies
 * [api]    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/Welcome.html
 */

/** Bounds of a whole number, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** Size of body and attributes; also the default and highest MaximumMessageSize. [quotas] */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** Size of all messages of a batch together. [quotas] */
export const MAX_BATCH_BYTES = 1_048_576;

/** [api] SendMessageBatch, DeleteMessageBatch, ChangeMessageVisibilityBatch */
export const MAX_BATCH_ENTRIES = 10;

/** [api] SendMessageBatchRequestEntry: Id */
export const BATCH_ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;

/** [api] CreateQueue: QueueName. The suffix .fifo of a FIFO queue counts as part of the name. */
export const QUEUE_NAME = /^[A-Za-z0-9_-]{1,80}$/;
export const FIFO_QUEUE_NAME = /^[A-Za-z0-9_-]{1,75}\.fifo$/;

/**
 * [api] SendMessage: MessageGroupId and MessageDeduplicationId, ReceiveMessage:
 * ReceiveRequestAttemptId; letters, digits and ASCII's punctuation.
 */
export const FIFO_ID = /^[!-~]{1,128}$/;

/** Time for which a FIFO queue remembers deduplication ids and receive attempts. [api] */
export const FIFO_MEMORY_SECONDS = 300;

/**
 * A message group is noisy with at least this many messages in flight that are more than this share
 * of all, or with more than this share of the processing time.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
 */
export const NOISY_IN_FLIGHT = 30;
export const NOISY_SHARE = 0.1;

/**
 * Time constant of processing time, in seconds: time that is this old counts for a third. AWS does
 * not document it. With this value, a run that joins another catches up within half of it.
 */
export const PROCESSING_MEMORY_SECONDS = 60;

/** Most messages in flight: received, and neither deleted nor timed out. [quotas] */
export const MAX_IN_FLIGHT = 120_000;

/** [api] CreateQueue: Attributes, for all of these */
export const DELAY_SECONDS: Range = { min: 0, max: 900 };
export const MAXIMUM_MESSAGE_SIZE: Range = { min: 1024, max: MAX_MESSAGE_BYTES };
export const RETENTION_SECONDS: Range = { min: 60, max: 1_209_600 };
export const VISIBILITY_SECONDS: Range = { min: 0, max: 43_200 };
export const WAIT_SECONDS: Range = { min: 0, max: 20 };
export const KMS_REUSE_SECONDS: Range = { min: 60, max: 86_400 };
export const MAX_RECEIVE_COUNT: Range = { min: 1, max: 1000 };

/** [api] CreateQueue: RedriveAllowPolicy, "You can specify up to 10 source queue ARNs" */
export const MAX_SOURCE_ARNS = 10;

/** [api] ReceiveMessage: MaxNumberOfMessages */
export const RECEIVE_MESSAGES: Range = { min: 1, max: 10 };

/** [api] StartMessageMoveTask: MaxNumberOfMessagesPerSecond; the highest is also the default. */
export const MOVE_RATE: Range = { min: 1, max: 500 };

/** [api] ListMessageMoveTasks: MaxResults; 1 without it. AWS keeps 10 tasks of a queue. */
export const MOVE_TASK_RESULTS: Range = { min: 1, max: 10 };

/** [api] ListQueues and ListDeadLetterSourceQueues: MaxResults; the highest is also the default. */
export const LIST_RESULTS: Range = { min: 1, max: 1000 };

/** [quotas] messages: "A message can contain up to 10 metadata attributes." */
export const MAX_MESSAGE_ATTRIBUTES = 10;

/** [api] MessageAttributeValue, and the guide on message metadata */
export const MAX_ATTRIBUTE_NAME_LENGTH = 256;
export const MAX_ATTRIBUTE_TYPE_LENGTH = 256;

/**
 * Limits of a Number: its significant digits, and the powers of ten between which it must be. The
 * guide on message metadata: "up to 38 digits of precision, and it can be between 10^-128 and
 * 10^+126".
 */
export const MAX_NUMBER_DIGITS = 38;
export const NUMBER_EXPONENT: Range = { min: -128, max: 126 };

/** [quotas] queues */
export const MAX_TAGS = 50;
export const MAX_TAG_KEY_LENGTH = 128;
export const MAX_TAG_VALUE_LENGTH = 256;

/** Tags with this prefix are AWS's own. [quotas] queues */
export const RESERVED_TAG = /^aws:/i;

/** Time after DeleteQueue during which the queue's name can't be used again. [api] CreateQueue */
export const RECREATE_SECONDS = 60;

/** Shortest time between two purges of a queue. [api] PurgeQueue */
export const PURGE_SECONDS = 60;

/** A policy's size in bytes, its number of statements, and the actions of one. [quotas] policies */
export const MAX_POLICY_BYTES = 8_192;
export const MAX_STATEMENTS = 20;
export const MAX_STATEMENT_ACTIONS = 7;

/** [api] AddPermission: Label, and the actions that can be shared. */
export const PERMISSION_LABEL = /^[A-Za-z0-9_-]{1,80}$/;
export const SHARED_ACTIONS: ReadonlySet<string> = new Set([
  '*',
  'ChangeMessageVisibility',
  'DeleteMessage',
  'GetQueueAttributes',
  'GetQueueUrl',
  'ListDeadLetterSourceQueues',
  'PurgeQueue',
  'ReceiveMessage',
  'SendMessage',
]);
