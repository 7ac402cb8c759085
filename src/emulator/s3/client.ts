import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { copiedFast, inProcess, OWN_SETTINGS, unsigned } from '../transport/index.ts';
import { S3 } from './s3.ts';

/**
 * The real SDK client for an S3 in this process: no socket, no credentials, no retries.
 *
 * @param s3 the S3 that answers; by default a new one, for this client only
 * @param config more options of the SDK
 */
export function createS3Client(s3: S3 = new S3(), config: S3ClientConfig = {}): S3Client {
  const client = new S3Client({
    ...OWN_SETTINGS,
    ...OWN_S3_SETTINGS,
    region: s3.region,
    endpoint: 'http://localhost',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: unsigned,
    requestHandler: inProcess(s3.service, { streams: true }),
    maxAttempts: 1,
    ...config,
  });
  return copiedFast(client);
}

/** Settings that only S3's clients have, and would read from AWS's config files. */
export const OWN_S3_SETTINGS = {
  disableMultiregionAccessPoints: false,
  disableS3ExpressSessionAuth: true,
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_SUPPORTED' as const,
  responseChecksumValidation: 'WHEN_SUPPORTED' as const,
  useArnRegion: false,
};
