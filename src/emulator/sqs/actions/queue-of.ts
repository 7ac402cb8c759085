import type { Call } from '../call.ts';
import { allowsAccess } from '../engine/access.ts';
import type { Queue } from '../engine/queue.ts';
import { isSame } from '../engine/queue-state.ts';
import { queueDoesNotExist, SqsError } from '../errors.ts';

/**
 * The queue of a request's QueueUrl. The QueueUrl can be only the queue's name. Of a URL, the path
 * counts, since a queue can have several addresses, and the region if the host is AWS's. A missing
 * or invalid QueueUrl is a queue that does not exist. All of this is recorded from AWS.
 */
export function queueOf(call: Call): Queue {
  const url = call.input.text('QueueUrl') ?? '';
  if (!url.includes('/')) return accessible(call, call.queues.find(url));
  const [, host = '', accountId, name] = QUEUE_URL.exec(url) ?? [];
  if (accountId === undefined || name === undefined) throw queueDoesNotExist();
  const { queues, accounts } = call;
  const region = regionOf(host) ?? queues.owner.region;
  const around = isSame(queues.owner, { accountId, region })
    ? queues
    : accounts.find({ accountId, region });
  return accessible(call, around?.find(name));
}

/** Refuses a queue that does not exist, or that its account does not share with the caller. */
export function accessible({ queues, action }: Call, queue: Queue | undefined): Queue {
  if (queue === undefined) throw queueDoesNotExist();
  const { accountId } = queues;
  if (queue.owner.accountId === accountId || allowsAccess(queue, accountId, action)) return queue;
  const permission = `sqs:${action.replace(/Batch$/, '').toLowerCase()}`;
  throw new SqsError(
    'AccessDenied',
    `User: arn:aws:iam::${accountId}:root is not authorized to perform: ${permission} on resource: ${queue.arn} because no resource-based policy allows the ${permission} action`,
  );
}

const QUEUE_URL = /^https?:\/\/([^/?#]+)\/([^/?#]+)\/([^/?#]+)\/?(?:\?.*)?$/;

/** The region in one of AWS's host names; any other host is this server, in the caller's region. */
function regionOf(host: string): string | undefined {
  if (!host.includes('.amazonaws.com')) return undefined;
  const [, now, before] = /^(?:sqs\.([\w-]+)|([\w-]+)\.queue)\.amazonaws\.com/.exec(host) ?? [];
  return now ?? before;
}
