import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { HttpRequest } from '@smithy/core/protocols';
import { expect, it, onTestFinished } from 'vitest';
import { S3, serveS3 } from '../../../src/emulator/s3/index.ts';
import { refusal, TestBucket } from '../../contract/s3/bucket.ts';

const credentials = { accessKeyId: 'tester', secretAccessKey: 'a secret' };

/** The part of the SDK's signer that is used here; the client's type has only `sign`. */
interface Presigner {
  presign(request: HttpRequest, options: { expiresIn: number }): Promise<HttpRequest>;
}

function isPresigner(signer: unknown): signer is Presigner {
  return typeof signer === 'object' && signer !== null && 'presign' in signer;
}

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

it('answers presigned requests, whose bodies are not signed', async () => {
  const { bucket, url } = await served();
  const { host, hostname, port } = new URL(url);
  const key = 'a b+c/%20é';
  await bucket().put(key, 'there');
  const signer: unknown = await bucket().client.config.signer();
  if (!isPresigner(signer)) throw new Error('The SDK signs with something else than it did.');
  const path = `/results/${key.split('/').map(encodeURIComponent).join('/')}`;
  const draft = new HttpRequest({ protocol: 'http:', hostname, port: Number(port), path });
  // As the SDK's own presigner does.
  Object.assign(draft.headers, { host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' });
  const { query } = await signer.presign(draft, { expiresIn: 60 });
  const answered = (at: string) =>
    fetch(`${url}${at}?${new URLSearchParams(query as Record<string, string>)}`);
  expect(await (await answered(path)).text()).toBe('there');
  expect((await answered(`${path}x`)).status).toBe(403);
});

it('refuses a body that is too long to hold', async () => {
  const { bucket } = await served();
  const body = bucket().put('long', Buffer.alloc(128 * 1024 * 1024 + 1));
  expect(await refusal(body)).toEqual({ name: 'EntityTooLarge', status: 400 });
});
