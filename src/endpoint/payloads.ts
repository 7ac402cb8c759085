import type { SQSClient } from '@aws-sdk/client-sqs';
import type { ClientMeter } from '../pipeline/run/client-meter.ts';
import { Payloads } from '../pipeline/run/payloads.ts';
import { readBucket } from '../pipeline/run/tags.ts';
import { objectsAt } from './clients.ts';
import type { Endpoint } from './connection.ts';

/**
 * The objects of a server's or a stack's deployment, whose task queue names their bucket.
 *
 * @param meter counts the requests. @default nothing is billed
 */
export function payloadsAt(
  place: Endpoint,
  sqs: SQSClient,
  taskQueueUrl: string,
  meter?: Pick<ClientMeter, 'countS3'>,
): Payloads {
  return new Payloads(async () => {
    const bucket = await readBucket(sqs, taskQueueUrl);
    if (bucket === undefined) return undefined;
    const s3 = await objectsAt(place);
    meter?.countS3(s3);
    return { bucket, s3 };
  });
}
