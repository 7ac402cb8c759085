import { deserialize, serialize } from 'node:v8';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../../errors.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import { getObject } from './object-reader.ts';
import type { SavedDraft } from './object-writer.ts';
import type { Part } from './state.ts';

/** How far a collector came with a merge, for the next one. */
export interface SavedMerge {
  draft: SavedDraft;
  /** State of the hash of the content. */
  hash: Uint8Array;
  /** State of the encoder. */
  file: Uint8Array | undefined;
  /** Bytes of each part that are merged. */
  offsets: number[];
  /** Bytes of the content that each collector has added. */
  frames: number[];
  results: number;
  indexes: Part['indexes'];
  /** Parts of results that do not fit the columns. */
  others: Part[];
}

/** Writes how far a merge came. Returns the object's key, below the folder. */
export async function saveMerge(
  s3: S3Client,
  { bucket, prefix }: S3Folder,
  epoch: number,
  progress: SavedMerge,
): Promise<string> {
  const key = `merge/${String(epoch).padStart(4, '0')}`;
  const Body = serialize(progress);
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `${prefix}${key}`, Body }));
  return key;
}

/** @throws FanfoldError `RunFailed` when the object is gone */
export async function readMerge(s3: S3Client, folder: S3Folder, key: string): Promise<SavedMerge> {
  const content = await (await getObject(s3, folder, key))?.Body?.transformToByteArray();
  if (content) return deserialize(content) as SavedMerge;
  throw new FanfoldError('RunFailed', `${urlOf(folder)}${key} is missing.`);
}
