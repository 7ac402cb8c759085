import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { leastBytesOf } from './flattened.ts';
import { useOfKey } from './keys.ts';
import type { InputPrefix } from './props.ts';
import { refuse } from './refuse.ts';

/** The parts of a deployment that its functions' roles get access to. */
export interface Granted {
  readonly name: string;
  readonly queues: Readonly<Record<'tasks' | 'lanes' | 'dead' | 'results', Queue>>;
  /** ARN pattern of runs' own queues. */
  readonly runQueues: string;
  readonly encryptionKey: IKey | undefined;
  readonly inputs: readonly InputPrefix[];
  /** Maximum number of burst workers. */
  readonly burst: number;
  readonly isInVpc: boolean;
}

export function grantSeed(role: Role, granted: Granted): void {
  const { queues, runQueues, encryptionKey, inputs, burst } = granted;
  queues.tasks.grant(role, 'sqs:SendMessage');
  // The seed creates a run's own queue with the attributes of this one.
  queues.results.grant(role, 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes');
  allow(role, ['sqs:CreateQueue', 'sqs:GetQueueUrl', 'sqs:TagQueue'], [runQueues]);
  if (encryptionKey) useQueuesKey(role, encryptionKey);
  if (burst > 0) {
    // The seed counts the busy workers before it starts burst workers.
    for (const queue of [queues.tasks, queues.lanes]) queue.grant(role, 'sqs:GetQueueAttributes');
    mayInvoke(role, granted, 'burst');
  }
  if (inputs.length === 0) return;
  mayInvoke(role, granted, 'seed');
  // The seed reports unreadable inputs to the run's collector.
  allow(role, ['sqs:SendMessage'], [runQueues]);
  grantReading(
    role,
    ['s3:GetObject'],
    inputs.map(({ bucket, prefix }) => bucket.arnForObjects(`${prefix}*`)),
  );
  grantLists(role, inputs);
  for (const key of new Set(inputs.map(({ bucket }) => bucket.encryptionKey))) {
    if (key) role.addToPolicy(useOfKey(role, key, 's3', ['kms:Decrypt']));
  }
}

/** Maximum length of a managed policy; the CDK moves statements there if a role's own is full. */
const LONGEST_STATEMENT = 6144;

/** @throws FanfoldPropsError when there are more places than a policy can name */
function grantReading(role: Role, actions: string[], resources: string[], conditions = {}): void {
  const statement = new PolicyStatement({ actions, resources, conditions });
  const length = leastBytesOf(Stack.of(role).resolve(statement.toStatementJson()));
  if (length > LONGEST_STATEMENT) {
    refuse(
      role.node.scope ?? role,
      `\`inputBuckets\` produces a policy statement of ${length} characters; AWS allows ${LONGEST_STATEMENT}. Name fewer buckets and prefixes, such as one bucket for all inputs.`,
    );
  }
  role.addToPolicy(statement);
}

/** Grants listing: without it, S3 reports a missing object as "access denied". */
function grantLists(role: Role, inputs: readonly InputPrefix[]): void {
  const whole = inputs.filter(({ prefix }) => prefix === '');
  if (whole.length > 0) {
    grantReading(
      role,
      ['s3:ListBucket'],
      whole.map(({ bucket }) => bucket.bucketArn),
    );
  }
  const prefixes = new Map<string, string[]>();
  for (const { bucket, prefix } of inputs) {
    if (prefix === '') continue;
    prefixes.set(bucket.bucketArn, [...(prefixes.get(bucket.bucketArn) ?? []), `${prefix}*`]);
  }
  for (const [arn, patterns] of prefixes) {
    grantReading(role, ['s3:ListBucket'], [arn], { StringLike: { 's3:prefix': patterns } });
  }
}

/** Grants for the role of all workers, including burst workers. */
export function grantWorker(role: Role, granted: Granted): void {
  const { queues, runQueues, encryptionKey, burst, isInVpc } = granted;
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
  if (encryptionKey) useQueuesKey(role, encryptionKey);
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

function useQueuesKey(role: Role, key: IKey): void {
  role.addToPolicy(useOfKey(role, key, 'sqs', ['kms:GenerateDataKey', 'kms:Decrypt']));
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
