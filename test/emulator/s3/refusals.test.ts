import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  HeadBucketCommand,
  ListBucketsCommand,
  PutObjectTaggingCommand,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { type Access, createS3Client, S3, type S3Options } from '../../../src/emulator/s3/index.ts';
import { refusal, TestBucket } from '../../contract/s3/bucket.ts';

function bucketOf(options: S3Options = {}, config: S3ClientConfig = {}): TestBucket {
  const s3 = new S3(options);
  s3.addBucket('results');
  return new TestBucket(createS3Client(s3, config), 'results');
}

describe('a bucket in another region', () => {
  it('is answered with a redirect that names its region', async () => {
    const s3 = new S3({ region: 'eu-west-1' });
    s3.addBucket('far', 'us-west-2');
    const far = new TestBucket(createS3Client(s3), 'far');
    const redirect = { name: 'PermanentRedirect', $metadata: { httpStatusCode: 301 } };
    await expect(far.put('a', 'x')).rejects.toMatchObject(redirect);
    await expect(far.get('a')).rejects.toMatchObject({
      ...redirect,
      Endpoint: 'far.s3.us-west-2.amazonaws.com',
      $response: { headers: { 'x-amz-bucket-region': 'us-west-2' } },
    });
    const head = far.client.send(new HeadBucketCommand({ Bucket: 'far' }));
    expect(await refusal(head)).toMatchObject({ status: 301 });
  });

  it('can be created from here', async () => {
    const { client } = bucketOf();
    const CreateBucketConfiguration = { LocationConstraint: 'eu-west-1' } as const;
    await client.send(new CreateBucketCommand({ Bucket: 'far', CreateBucketConfiguration }));
    expect(await refusal(new TestBucket(client, 'far').get('a'))).toMatchObject({ status: 301 });
  });
});

describe('a bucket that exists', () => {
  it('is listed', async () => {
    const { client } = bucketOf();
    await client.send(new CreateBucketCommand({ Bucket: 'inputs' }));
    const { Buckets = [] } = await client.send(new ListBucketsCommand());
    expect(Buckets.map(({ Name }) => Name)).toEqual(['inputs', 'results']);
  });

  it('is refused, except in the oldest region', async () => {
    const create = new CreateBucketCommand({ Bucket: 'results' });
    expect(await refusal(bucketOf().client.send(create))).toBe(undefined);
    const elsewhere = bucketOf({ region: 'eu-west-1' });
    await elsewhere.put('a', 'kept');
    expect(await refusal(elsewhere.client.send(create))).toEqual({
      name: 'BucketAlreadyOwnedByYou',
      status: 409,
    });
    expect(await elsewhere.text('a')).toBe('kept');
  });

  it.each(['A-bucket', 'ab', 'a..b', '1.2.3.4', 'a_bucket', '-a-b'])('is not named %s', (name) => {
    expect(() => new S3().addBucket(name)).toThrow(/bucket is not valid/);
  });
});

const DENIED = { name: 'AccessDenied', status: 403 };

describe('a caller', () => {
  it('does only what it may do', async () => {
    const asked: Access[] = [];
    const allowed = new Set(['s3:PutObject']);
    const allows = (access: Access) => {
      asked.push(access);
      return allowed.has(access.action);
    };
    const bucket = bucketOf({ allows });
    await bucket.put('runs/1/state', 'x');
    expect(asked).toEqual([{ action: 's3:PutObject', bucket: 'results', key: 'runs/1/state' }]);
    expect(await refusal(bucket.get('runs/1/state'))).toEqual(DENIED);
    expect(await refusal(bucket.head('runs/1/state'))).toMatchObject({ status: 403 });
    expect(await refusal(bucket.delete('runs/1/state'))).toEqual(DENIED);
    expect(await refusal(bucket.list({ Prefix: 'runs/' }))).toEqual(DENIED);
    expect(asked.at(-1)).toEqual({ action: 's3:ListBucket', bucket: 'results', prefix: 'runs/' });
    allowed.add('s3:GetObject');
    expect(await bucket.text('runs/1/state')).toBe('x');
  });

  it('learns which keys are missing only if it may list them', async () => {
    const blind = bucketOf({ allows: ({ action }) => action !== 's3:ListBucket' });
    expect(await refusal(blind.get('none'))).toEqual(DENIED);
    expect(await refusal(blind.head('none'))).toMatchObject({ status: 403 });
  });

  it('needs to read what it swaps', async () => {
    const bucket = bucketOf({ allows: ({ action }) => action !== 's3:GetObject' });
    const { ETag } = await bucket.put('state', 'x', { IfNoneMatch: '*' });
    expect(await refusal(bucket.put('state', 'y', { IfMatch: ETag }))).toEqual(DENIED);
  });

  it('may name the account that must own the bucket', async () => {
    const bucket = bucketOf({ accountId: '111122223333' });
    const put = (ExpectedBucketOwner: string) =>
      refusal(bucket.put('a', 'x', { ExpectedBucketOwner }));
    expect(await put('444455556666')).toEqual(DENIED);
    expect(await put('111122223333')).toBe(undefined);
  });
});

describe('a request', () => {
  it('with a wrong checksum is refused', async () => {
    const bucket = bucketOf();
    const bad = { name: 'BadDigest', status: 400 };
    expect(await refusal(bucket.put('a', 'x', { ChecksumCRC32: 'AAAAAA==' }))).toEqual(bad);
    const ChecksumSHA256 = Buffer.alloc(32).toString('base64');
    expect(await refusal(bucket.put('a', 'x', { ChecksumSHA256 }))).toEqual(bad);
    const ContentMD5 = Buffer.alloc(16).toString('base64');
    expect(await refusal(bucket.put('a', 'x', { ContentMD5 }))).toEqual(bad);
    expect(await bucket.keys()).toEqual([]);
  });

  it('whose stream is of unknown length is refused', async () => {
    expect(await refusal(bucketOf().put('a', Readable.from(['x'])))).toEqual({
      name: 'MissingContentLength',
      status: 411,
    });
  });

  it('for something that is missing here is refused', async () => {
    const bucket = bucketOf();
    const { ETag = '' } = await bucket.put('a', 'x');
    const missing = { name: 'NotImplemented', status: 501 };
    const { client } = bucket;
    const copy = new CopyObjectCommand({ ...bucket.at('b'), CopySource: 'results/a' });
    expect(await refusal(client.send(copy))).toEqual(missing);
    const tag = new PutObjectTaggingCommand({ ...bucket.at('a'), Tagging: { TagSet: [] } });
    expect(await refusal(client.send(tag))).toEqual(missing);
    expect(await refusal(bucket.put('b', 'x', { ChecksumAlgorithm: 'CRC32C' }))).toEqual(missing);
    expect(await refusal(bucket.put('b', 'x', { IfNoneMatch: ETag }))).toEqual(missing);
    expect(await bucket.keys()).toEqual(['a']);
  });

  it('with a key that is too long, or a token of another listing, is refused', async () => {
    const bucket = bucketOf();
    expect(await refusal(bucket.put('x'.repeat(1025), 'x'))).toEqual({
      name: 'KeyTooLongError',
      status: 400,
    });
    expect(await refusal(bucket.list({ ContinuationToken: '?' }))).toEqual({
      name: 'InvalidArgument',
      status: 400,
    });
  });
});
