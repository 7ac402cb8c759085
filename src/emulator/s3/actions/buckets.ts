import { textOfBody } from '../body.ts';
import type { Action } from '../call.ts';
import { S3Error } from '../errors.ts';
import type { Objects } from '../objects.ts';
import { element, textElement, textOf, XML_HEAD } from '../xml.ts';

/** The shelf of the buckets themselves. */
const BUCKETS = '';

const REGION = 'x-amz-bucket-region';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
const NAME = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z\d](?:[a-z\d-]|\.(?!\.)){1,61}[a-z\d]$/;

export function regionOf(objects: Objects, bucket: string): string | undefined {
  return objects.get(BUCKETS, bucket)?.headers[REGION];
}

/** Adds a bucket. One that exists stays as it is. */
export function addBucket(objects: Objects, bucket: string, region: string, now: number): void {
  if (!NAME.test(bucket)) {
    throw new S3Error('InvalidBucketName', `The specified bucket is not valid: "${bucket}".`, {
      elements: { BucketName: bucket },
    });
  }
  if (regionOf(objects, bucket) !== undefined) return;
  const facts = { etag: '', size: 0, modifiedAt: now, headers: { [REGION]: region } };
  objects.put(BUCKETS, bucket, facts, []);
}

export const createBucket: Action = ({ request, bucket, objects, region, now }) => {
  const wanted = textOf(textOfBody(request), 'LocationConstraint') ?? region;
  // Only the oldest region answers as if it had created the bucket again.
  if (regionOf(objects, bucket) !== undefined && region !== 'us-east-1') {
    throw new S3Error(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      { elements: { BucketName: bucket } },
    );
  }
  addBucket(objects, bucket, wanted, now);
  return { status: 200, headers: { location: `/${bucket}` }, body: '' };
};

export const headBucket: Action = ({ objects, bucket }) => {
  const headers = { [REGION]: regionOf(objects, bucket) ?? '' };
  return { status: 200, headers, body: '' };
};

export const listBuckets: Action = ({ objects }) => {
  const buckets = objects.keysOf(BUCKETS, '').map((bucket) => {
    const created = new Date(objects.get(BUCKETS, bucket)?.modifiedAt ?? 0).toISOString();
    const texts = [textElement('Name', bucket), textElement('CreationDate', created)];
    return element('Bucket', texts.join(''));
  });
  const content = element('Buckets', buckets.join(''));
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `${XML_HEAD}${element('ListAllMyBucketsResult', content)}`,
  };
};

/** @throws S3Error `NoSuchBucket`; `PermanentRedirect` if it is in another region */
export function checkBucket(objects: Objects, bucket: string, region: string): void {
  const found = regionOf(objects, bucket);
  if (found === undefined) {
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', {
      elements: { BucketName: bucket },
    });
  }
  if (found === region) return;
  throw new S3Error(
    'PermanentRedirect',
    'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
    {
      elements: { Endpoint: `${bucket}.s3.${found}.amazonaws.com`, Bucket: bucket },
      headers: { [REGION]: found },
    },
  );
}
