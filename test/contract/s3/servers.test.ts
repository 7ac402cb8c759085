import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { motoForTests } from '../../../scripts/moto.ts';
import { S3, serveS3 } from '../../../src/emulator/s3/index.ts';
import { startMoto } from '../../foreign/moto.ts';
import { type S3World, s3Contract } from './cases.ts';

const credentials = { accessKeyId: 'contract', secretAccessKey: 'a secret' };

function server(
  name: string,
  start: () => Promise<{ url: string; close(): Promise<void> }>,
  differs: readonly string[] = [],
): S3World {
  let started: Awaited<ReturnType<typeof start>> | undefined;
  return {
    name,
    longMib: name === 'moto' ? 8 : 64,
    differs,
    async open() {
      started = await start();
      return new S3Client({
        region: 'us-east-1',
        endpoint: started.url,
        forcePathStyle: true,
        credentials,
        maxAttempts: 1,
      });
    },
    close: async () => started?.close(),
  };
}

s3Contract(
  server('ours, with signatures', () => serveS3(new S3(), { credentials: [credentials] })),
);

if (motoForTests()) {
  s3Contract(
    server('moto', startMoto, [
      // Answers an upload of a part with 500.
      'an upload that has ended is refused',
      // Joins the parts in the order of their numbers.
      'parts out of order are refused',
    ]),
  );
} else {
  it.skipIf(process.env.CI === undefined)('moto is not installed: npm run moto', () => {
    expect.fail('CI must install it.');
  });
}
