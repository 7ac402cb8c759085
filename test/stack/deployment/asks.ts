import type { ServiceRequest } from '../../../src/emulator/transport/index.ts';
import type { Ask } from './policies/index.ts';
import type { Place } from './template.ts';

/** The services on the port. */
export type ServiceName = 'lambda' | 's3' | 'sqs';

/** Actions of SQS on one queue, each a permission of its own name. */
const ON_A_QUEUE = new Set([
  'AddPermission',
  'CancelMessageMoveTask',
  'ChangeMessageVisibility',
  'CreateQueue',
  'DeleteMessage',
  'DeleteQueue',
  'GetQueueAttributes',
  'GetQueueUrl',
  'ListDeadLetterSourceQueues',
  'ListMessageMoveTasks',
  'ListQueueTags',
  'PurgeQueue',
  'ReceiveMessage',
  'RemovePermission',
  'SendMessage',
  'SetQueueAttributes',
  'TagQueue',
  'UntagQueue',
]);

/**
 * The permissions that a call to SQS needs.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html
 */
export function asksOfSqs(
  action: string,
  parameters: Readonly<Record<string, unknown>>,
  { region, accountId }: Place,
): Ask[] {
  const { QueueUrl, QueueName, SourceArn, DestinationArn, TaskHandle, tags } = parameters;
  // A batch needs what its entries need.
  const permission = action.replace(/Batch$/, '');
  const name = String(QueueName ?? QueueUrl ?? '').replace(/.*\//, '');
  const queue =
    SourceArn !== undefined
      ? String(SourceArn)
      : TaskHandle !== undefined
        ? sourceOf(String(TaskHandle))
        : `arn:aws:sqs:${region}:${accountId}:${name}`;
  const on = (resource: string, ...actions: string[]) =>
    actions.map((one) => ({ action: `sqs:${one}`, resource }));
  // The action has no resource: a policy must allow it on `*`.
  if (permission === 'ListQueues') return on('*', permission);
  if (permission === 'StartMessageMoveTask') {
    // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    return [
      ...on(queue, permission, 'ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'),
      ...(DestinationArn === undefined ? [] : on(String(DestinationArn), 'SendMessage')),
    ];
  }
  if (!ON_A_QUEUE.has(permission)) throw new Error(`No permission is known for ${action} here.`);
  const isTagged = permission === 'CreateQueue' && Object.keys(tags ?? {}).length > 0;
  return on(queue, permission, ...(isTagged ? ['TagQueue'] : []));
}

/** The handle of a move task contains its source, as on SQS. */
function sourceOf(handle: string): string {
  return JSON.parse(Buffer.from(handle, 'base64').toString()).sourceArn;
}

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

export function asksOfLambda({ path }: ServiceRequest, { region, accountId }: Place): Ask[] {
  const [, encoded = ''] = INVOKE.exec(path) ?? [];
  const name = decodeURIComponent(encoded)
    .replace(/^.*:function:/, '')
    .replace(/:.*$/, '');
  const resource = `arn:aws:lambda:${region}:${accountId}:function:${name}`;
  return [{ action: 'lambda:InvokeFunction', resource }];
}

/** S3's actions by method, on an object and on a bucket. */
const ON_AN_OBJECT: Readonly<Record<string, string>> = {
  DELETE: 's3:DeleteObject',
  GET: 's3:GetObject',
  HEAD: 's3:GetObject',
  PUT: 's3:PutObject',
};
const ON_A_BUCKET: Readonly<Record<string, string>> = {
  GET: 's3:ListBucket',
  HEAD: 's3:ListBucket',
};

/** Buckets are in the path, as for any numeric address. */
export function asksOfS3({ method, path }: ServiceRequest): Ask[] {
  const { bucket, key } = s3Path(path);
  const action = (key === '' ? ON_A_BUCKET : ON_AN_OBJECT)[method];
  if (action === undefined) throw new Error(`No permission is known for ${method} ${path} here.`);
  return [{ action, resource: `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}` }];
}

export function s3Path(path: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  return { bucket, key: decodeURIComponent(key) };
}
