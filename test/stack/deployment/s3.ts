import { startFauxqs } from 'fauxqs';
import type { Service } from '../../../src/emulator/transport/index.ts';

/** An S3 in this process, which uses a port internally. */
export interface S3 {
  readonly service: Service;
  close(): Promise<void>;
}

/** Headers that concern only one connection. */
const OF_A_HOP = ['connection', 'content-length', 'expect', 'keep-alive', 'transfer-encoding'];

export async function openS3(buckets: readonly string[], region: string): Promise<S3> {
  const server = await startFauxqs({ port: 0, logger: false, defaultRegion: region });
  for (const bucket of buckets) server.createBucket(bucket);
  const service: Service = async ({ method, path, query, headers, body, signal }) => {
    const search = query.size > 0 ? `?${query}` : '';
    const response = await fetch(`http://127.0.0.1:${server.port}${path}${search}`, {
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
  return { service, close: () => server.stop() };
}

function without(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_A_HOP.includes(name)));
}
