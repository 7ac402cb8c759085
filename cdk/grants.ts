import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { leastBytesOf } from './flattened.ts';
import { useOfKey, usesOfKeys } from './keys.ts';
import { listing, onObjects } from './object-access.ts';
import type { BucketPrefix } from './props.ts';
import { refuse } from './refuse.ts';
import { PAYLOADS } from './results-bucket.ts';

/** The parts of a deployment that its functions' roles get access to. */
export interface Granted {
  readonly name: string;
  readonly queues: Readonly<Record<'tasks' | 'lanes' | 'dead' | 'results' | 'ended', Queue>>;
  /** ARN pattern of runs' own queues. */
  readonly runQueues: string;
  readonly encryptionKey: IKey | undefined;
  readonly inputs: readonly BucketPrefix[];
  /** The bucket for payloads, and for the results of runs that name no other place. */
  readonly bucket: IBucket;
  /** Places that results may be written to; none if no function collects them. */
  readonly resultPlaces: readonly BucketPrefix[];
  /** Maximum number of burst workers. */
  readonly burst: number;
  readonly isInVpc: boolean;
}

export function grantSeed(role: Role, granted: Granted): void {
  const { queues, runQueues, encryptionKey, inputs, bucket, resultPlaces, burst } = granted;
  queues.tasks.grant(role, 'sqs:SendMessage');
  // The seed creates a run's own queue with the attributes of this one.
  queues.results.grant(role, 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes');
  // It compares a request for a run that goes on with the tags of the run's queue.
  const own = ['sqs:CreateQueue', 'sqs:GetQueueUrl', 'sqs:TagQueue', 'sqs:ListQueueTags'];
  allow(role, own, [runQueues]);
  // Inputs that do not fit in a message.
  allow(role, ['s3:PutObject'], [bucket.arnForObjects(`${PAYLOADS}*`)]);
  add(role, usesOfKeys(role, encryptionKey, [bucket]));
  if (burst > 0) {
    // The seed counts the busy workers before it starts burst workers.
    for (const queue of [queues.tasks, queues.lanes]) queue.grant(role, 'sqs:GetQueueAttributes');
    mayInvoke(role, granted, 'burst');
  }
  if (resultPlaces.length > 0) mayInvoke(role, granted, 'collector');
  // The seed reports unreadable inputs, and what it has used, to a collector that does not call it.
  const reports = resultPlaces.length + inputs.length > 0;
  if (reports) allow(role, ['sqs:SendMessage'], [runQueues]);
  if (inputs.length === 0) return;
  mayInvoke(role, granted, 'seed');
  const reading = [onObjects(['s3:GetObject'], inputs), ...listing(inputs)];
  for (const statement of reading) checkLength(role, statement);
  add(role, reading);
  for (const key of new Set(inputs.map(({ bucket }) => bucket.encryptionKey))) {
    if (key) role.addToPolicy(useOfKey(role, key, ['s3'], ['kms:Decrypt']));
  }
}

/**
 * Grants for the collector function, which does what `fanfold collect` does for operators, writes
 * the results to S3, and continues in another invocation.
 */
export function grantCollector(role: Role, granted: Granted): void {
  const { queues, runQueues, encryptionKey, bucket, resultPlaces } = granted;
  const { tasks, lanes, dead, ended } = queues;
  allow(role, [...COLLECTING, 'sqs:ChangeMessageVisibility'], [runQueues]);
  // The watchdog finds runs by the names of their queues.
  allow(role, ['sqs:ListQueues'], ['*']);
  // The backlog.
  for (const queue of [tasks, lanes, dead]) {
    queue.grant(role, 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes');
  }
  ended.grant(role, 'sqs:SendMessage');
  const payloads = { bucket, prefix: PAYLOADS };
  add(role, [onObjects(RESULT_ACTIONS, resultPlaces)]);
  add(role, [onObjects(['s3:GetObject', 's3:DeleteObject'], [payloads])]);
  add(role, listing([...resultPlaces, payloads]));
  const buckets = [...new Set(resultPlaces.map(({ bucket: one }) => one))];
  // Uploads that killed collectors left. Policies can't restrict this action to a prefix.
  const arns = buckets.map(({ bucketArn }) => bucketArn);
  allow(role, ['s3:ListBucketMultipartUploads'], arns);
  add(role, usesOfKeys(role, encryptionKey, buckets));
  role.addToPolicy(
    new PolicyStatement({
      actions: ['events:PutEvents'],
      resources: [defaultBus(role)],
      // Nobody can take these events for those of another program.
      conditions: { StringEquals: { 'events:source': 'fanfold' } },
    }),
  );
  mayInvoke(role, granted, 'collector');
}

/** Actions on a run's own queue that its collector needs, a person's or the function. */
export const COLLECTING = [
  'sqs:GetQueueUrl',
  'sqs:GetQueueAttributes',
  'sqs:ListQueueTags',
  'sqs:TagQueue',
  'sqs:ReceiveMessage',
  'sqs:DeleteMessage',
  'sqs:DeleteQueue',
];

/** Actions on results: also those of uploads in parts. */
const RESULT_ACTIONS = [
  's3:GetObject',
  's3:PutObject',
  's3:DeleteObject',
  's3:AbortMultipartUpload',
];

function defaultBus(scope: Construct): string {
  return Stack.of(scope).formatArn({
    service: 'events',
    resource: 'event-bus',
    resourceName: 'default',
  });
}

/** Grants for the role of all workers, including burst workers. */
export function grantWorker(role: Role, granted: Granted): void {
  const { queues, runQueues, encryptionKey, bucket, burst, isInVpc } = granted;
  for (const queue of [queues.tasks, queues.lanes]) {
    queue.grant(
      role,
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      // Required by the event source.
      'sqs:GetQueueAttributes',
      'sqs:SendMessage',
    );
  }
  queues.dead.grant(role, 'sqs:SendMessage');
  queues.results.grant(role, 'sqs:GetQueueUrl', 'sqs:SendMessage');
  // The tags of a run's queue hold the bounds that were set for the run, and whether it is paused.
  // If many environments begin at once, AWS throttles that, and they look for the queue instead.
  allow(role, ['sqs:ListQueueTags', 'sqs:GetQueueUrl', 'sqs:SendMessage'], [runQueues]);
  // Inputs and outputs that do not fit in a message.
  allow(role, ['s3:GetObject', 's3:PutObject'], [bucket.arnForObjects(`${PAYLOADS}*`)]);
  add(role, usesOfKeys(role, encryptionKey, [bucket]));
  if (burst > 0) mayInvoke(role, granted, 'burst');
  if (!isInVpc) return;
  // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: they take no resources.
  allow(
    role,
    [
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DescribeSubnets',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ],
    ['*'],
  );
}

/** Names the function by a built ARN: a reference in its role's policy would be circular. */
function mayInvoke(role: Role, { name }: Granted, suffix: string): void {
  const arn = Stack.of(role).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: `${name}-${suffix}`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  allow(role, ['lambda:InvokeFunction'], [arn]);
}

function allow(role: Role, actions: string[], resources: string[]): void {
  role.addToPolicy(new PolicyStatement({ actions, resources }));
}

function add(role: Role, statements: readonly PolicyStatement[]): void {
  for (const statement of statements) role.addToPolicy(statement);
}

/** Longest managed policy; the CDK moves statements there if a role's own policy is full. */
const LONGEST_STATEMENT = 6144;

/** @throws FanfoldPropsError when there are more input buckets than a policy can name */
function checkLength(role: Role, statement: PolicyStatement): void {
  const length = leastBytesOf(Stack.of(role).resolve(statement.toStatementJson()));
  if (length <= LONGEST_STATEMENT) return;
  refuse(
    role.node.scope ?? role,
    `\`inputBuckets\` produces a policy statement of ${length} characters; AWS allows ${LONGEST_STATEMENT}. Name fewer buckets and prefixes, such as one bucket for all inputs.`,
  );
}
