import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { S3 as OwnS3 } from '../../../src/emulator/s3/index.ts';
import type { Service } from '../../../src/emulator/transport/index.ts';
import { startMoto } from '../../foreign/moto.ts';

export interface S3 {
  readonly service: Service;
  close(): Promise<void> | void;
}

export interface BucketPlace {
  readonly name: string;
  readonly region: string;
}

/** Fanfold's own S3, in this process. */
export function openS3(buckets: readonly BucketPlace[], region: string): S3 {
  const s3 = new OwnS3({ region });
  for (const { name, region: there } of buckets) s3.addBucket(name, there);
  return { service: s3.service, close: () => s3.close() };
}

/** Headers that concern only one connection. */
const OF_A_HOP = ['connection', 'content-length', 'expect', 'keep-alive', 'transfer-encoding'];

/** An S3 that others wrote, in a process of its own. */
export async function openMoto(buckets: readonly BucketPlace[], region: string): Promise<S3> {
  const { url, close } = await startMoto();
  const credentials = { accessKeyId: 'owner', secretAccessKey: 'secret' };
  const client = new S3Client({ region, endpoint: url, credentials, forcePathStyle: true });
  const CreateBucketConfiguration = { LocationConstraint: region as 'eu-central-1' };
  for (const { name } of buckets) {
    await client.send(new CreateBucketCommand({ Bucket: name, CreateBucketConfiguration }));
  }
  client.destroy();
  const service: Service = async ({ method, path, sentPath, query, headers, body, signal }) => {
    const search = query.size > 0 ? `?${query}` : '';
    const response = await fetch(`${url}${sentPath ?? path}${search}`, {
      method,
      headers: without(headers),
      signal,
      ...(body.length > 0 ? { body: Buffer.from(body) } : {}),
    });
    return {
      status: response.status,
      headers: without(Object.fromEntries(response.headers)),
      body: new Uint8Array(await response.arrayBuffer()),
    };
  };
  return { service, close };
}

function without(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_A_HOP.includes(name)));
}
