import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  ListObjectsV2Command,
  NoSuchKey,
  type S3Client,
} from '@aws-sdk/client-s3';
import { isDenied } from '../call-errors.ts';
import type { S3Folder } from '../messages/results-place.ts';

/**
 * Gets an object of a folder; undefined if there is none.
 *
 * @param Range such as `bytes=0-99`. @default all of it
 */
export async function getObject(
  s3: S3Client,
  { bucket, prefix }: S3Folder,
  name: string,
  Range?: string,
): Promise<GetObjectCommandOutput | undefined> {
  const Key = `${prefix}${name}`;
  try {
    return await s3.send(new GetObjectCommand({ Bucket: bucket, Key, Range }));
  } catch (error) {
    if (error instanceof NoSuchKey) return undefined;
    if (!isDenied(error)) throw error;
    // S3 says so, too, of a missing object to callers who may list some prefixes only.
    const list = new ListObjectsV2Command({ Bucket: bucket, Prefix: Key, MaxKeys: 1 });
    const { Contents = [] } = await s3.send(list).catch(() => {
      throw error;
    });
    if (Contents.some((found) => found.Key === Key)) throw error;
    return undefined;
  }
}
