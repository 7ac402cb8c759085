import type { ServiceRequest } from '../../../src/emulator/transport/index.ts';
import type { Ask } from './policies/index.ts';
import type { Place } from './template.ts';

/** The services on the port. */
export type ServiceName = 'events' | 'lambda' | 's3' | 'sqs';

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

/** An event in a call to EventBridge. */
export interface BusEvent {
  readonly Source?: string;
  readonly DetailType?: string;
  readonly Detail?: string;
  readonly EventBusName?: string;
}

/** Each event must be allowed, by its source: `events:source` is a condition key. */
export function asksOfEvents(
  { headers, body }: ServiceRequest,
  { region, accountId }: Place,
): { event: BusEvent; ask: Ask }[] {
  const target = headers['x-amz-target'];
  if (target !== 'AWSEvents.PutEvents')
    throw new Error(`No permission is known for ${target} here.`);
  const { Entries = [] }: { Entries?: BusEvent[] } = JSON.parse(Buffer.from(body).toString());
  return Entries.map((event) => {
    const resource = `arn:aws:events:${region}:${accountId}:event-bus/${event.EventBusName ?? 'default'}`;
    return { event, ask: { action: 'events:PutEvents', resource } };
  });
}

/**
 * S3's permissions by method, place, and the parameter that tells actions of a method apart.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
 */
const OF_S3: Readonly<Record<string, string>> = {
  'GET bucket': 's3:ListBucket',
  'GET bucket uploads': 's3:ListBucketMultipartUploads',
  'HEAD bucket': 's3:ListBucket',
  'DELETE object': 's3:DeleteObject',
  'DELETE object uploadId': 's3:AbortMultipartUpload',
  'GET object': 's3:GetObject',
  'GET object uploadId': 's3:ListMultipartUploadParts',
  'HEAD object': 's3:GetObject',
  'POST object uploadId': 's3:PutObject',
  'POST object uploads': 's3:PutObject',
  'PUT object': 's3:PutObject',
  'PUT object uploadId': 's3:PutObject',
};

/** Buckets are in the path, as for any numeric address. */
export function asksOfS3({ method, path, query, headers, body }: ServiceRequest): Ask[] {
  const { bucket, key } = s3Path(path);
  const on = (action: string, of = key) => ({
    action,
    resource: `arn:aws:s3:::${bucket}${of === '' ? '' : `/${of}`}`,
  });
  if (method === 'POST' && query.has('delete')) {
    const keys = Buffer.from(body)
      .toString()
      .matchAll(/<Key>([^<]*)<\/Key>/g);
    return Array.from(keys, ([, one]) => on('s3:DeleteObject', one));
  }
  const kind = ['uploads', 'uploadId'].find((name) => query.has(name));
  const call = [method, key === '' ? 'bucket' : 'object', ...(kind ? [kind] : [])].join(' ');
  const action = OF_S3[call];
  if (action === undefined) throw new Error(`No permission is known for ${call} (${path}) here.`);
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
  const compares = action === 's3:PutObject' && headers['if-match'] !== undefined;
  return [on(action), ...(compares ? [on('s3:GetObject')] : [])];
}

export function s3Path(path: string): { bucket: string; key: string } {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  return { bucket, key: decodeURIComponent(key) };
}
