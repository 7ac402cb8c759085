import { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { createS3Client, S3 } from '../../../src/emulator/s3/index.ts';

it('keeps objects, and swaps them only if they are as expected', async () => {
  const client = createS3Client(new S3());
  const Bucket = 'one';
  await client.send(new CreateBucketCommand({ Bucket }));
  const at = { Bucket, Key: 'a b/../c//d+%é' };
  const { ETag } = await client.send(new PutObjectCommand({ ...at, Body: 'hello' }));
  const got = await client.send(new GetObjectCommand(at));
  expect(await got.Body?.transformToString()).toBe('hello');
  expect(got).toMatchObject({ ETag, ContentLength: 5 });
  const swap = (IfMatch: string | undefined) =>
    client.send(
      new PutObjectCommand({ ...at, Body: Readable.from(['a']), ContentLength: 1, IfMatch }),
    );
  await swap(ETag);
  await expect(swap(ETag)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  expect(await client.send(new HeadObjectCommand(at))).toMatchObject({ ContentLength: 1 });
});
