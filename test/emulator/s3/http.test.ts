import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { expect, it, onTestFinished } from 'vitest';
import { S3, serveS3 } from '../../../src/emulator/s3/index.ts';
import { refusal, TestBucket } from '../../contract/s3/bucket.ts';

const credentials = { accessKeyId: 'tester', secretAccessKey: 'a secret' };

async function served() {
  const s3 = new S3();
  s3.addBucket('results');
  const server = await serveS3(s3, { credentials: [credentials] });
  onTestFinished(() => server.close());
  const bucket = (config: S3ClientConfig = {}) => {
    const place = { endpoint: server.url, region: 'us-east-1', forcePathStyle: true };
    return new TestBucket(
      new S3Client({ ...place, credentials, maxAttempts: 1, ...config }),
      'results',
    );
  };
  return { url: server.url, bucket };
}

it('answers a HEAD with the length of what it does not send', async () => {
  const { bucket } = await served();
  await bucket().put('a', 'twelve bytes');
  expect(await bucket().head('a')).toMatchObject({ ContentLength: 12 });
});

it('refuses keys, secrets and regions that are not its own', async () => {
  const { bucket, url } = await served();
  const wrong = (config: S3ClientConfig) => refusal(bucket(config).put('a', 'x'));
  const secret = { ...credentials, secretAccessKey: 'another' };
  expect(await wrong({ credentials: secret })).toEqual({
    name: 'SignatureDoesNotMatch',
    status: 403,
  });
  expect(await wrong({ credentials: { ...secret, accessKeyId: 'nobody' } })).toEqual({
    name: 'InvalidAccessKeyId',
    status: 403,
  });
  expect(await wrong({ region: 'eu-west-1' })).toMatchObject({ status: 403 });
  const unsigned = await fetch(`${url}/results/a`);
  expect(unsigned.status).toBe(403);
  expect(await unsigned.text()).toContain('<Code>AccessDenied</Code>');
});

it('refuses a body that is too long to hold', async () => {
  const { bucket } = await served();
  const body = bucket().put('long', Buffer.alloc(128 * 1024 * 1024 + 1));
  expect(await refusal(body)).toEqual({ name: 'EntityTooLarge', status: 400 });
});
