import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { createS3Client, S3 } from '../../../src/emulator/s3/index.ts';
import { getObject } from '../../../src/pipeline/storing/object-reader.ts';

const Bucket = 'places';
const folder = { bucket: Bucket, prefix: 'runs/one/' };

/** An S3 whose caller may list what `mayList` says, and get all but the object `closed`. */
async function s3With(mayList: (prefix?: string) => boolean) {
  let isReady = false;
  const s3 = new S3({
    allows: ({ action, key, prefix }) =>
      !isReady || (action === 's3:ListBucket' ? mayList(prefix) : !key?.endsWith('/closed')),
  });
  const client = createS3Client(s3);
  await client.send(new CreateBucketCommand({ Bucket }));
  for (const name of ['state', 'closed', 'state-of-another']) {
    await client.send(new PutObjectCommand({ Bucket, Key: `runs/one/${name}`, Body: name }));
  }
  isReady = true;
  return client;
}

it.each([
  ['the whole bucket', () => true],
  ['a prefix', (prefix?: string) => prefix?.startsWith('runs/') === true],
])('tells a missing object from a closed one, for callers who may list %s', async (_, mayList) => {
  const s3 = await s3With(mayList);
  expect(await (await getObject(s3, folder, 'state'))?.Body?.transformToString()).toBe('state');
  // Another object's key begins with this one.
  expect(await getObject(s3, folder, 'state-of')).toBeUndefined();
  await expect(getObject(s3, folder, 'closed')).rejects.toThrow('s3:GetObject');
});

it('throws the refusal to callers who may list nothing', async () => {
  const s3 = await s3With(() => false);
  await expect(getObject(s3, folder, 'none')).rejects.toThrow(/AccessDenied|Access Denied/);
});
