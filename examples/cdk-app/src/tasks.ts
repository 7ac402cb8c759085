import { HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { defineTask } from 'fanfold';
import * as z from 'zod';

export const photoSize = defineTask({
  name: 'photo-size',
  input: z.object({ key: z.string().min(1) }),
  timeoutSeconds: 30,
  concurrency: 10,
  setup: () => new S3Client({}),
  teardown: (s3) => s3.destroy(),
  async run({ key }, { signal }, s3) {
    const command = new HeadObjectCommand({ Bucket: process.env.BUCKET, Key: key });
    const { ContentLength } = await s3.send(command, { abortSignal: signal });
    return { bytes: ContentLength ?? 0 };
  },
});
