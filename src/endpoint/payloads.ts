import type { SQSClient } from '@aws-sdk/client-sqs';
import { Payloads } from '../pipeline/run/payloads.ts';
import { readBucket } from '../pipeline/run/tags.ts';
import { objectsAt } from './clients.ts';
import type { Endpoint } from './connection.ts';

/** The objects of a server's or a stack's deployment, whose task queue names their bucket. */
export function payloadsAt(place: Endpoint, sqs: SQSClient, taskQueueUrl: string): Payloads {
  return new Payloads(async () => {
    const bucket = await readBucket(sqs, taskQueueUrl);
    return bucket === undefined ? undefined : { bucket, s3: await objectsAt(place) };
  });
}
