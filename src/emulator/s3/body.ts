import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { ServiceRequest } from '../transport/index.ts';
import { notImplemented, S3Error } from './errors.ts';

/** A request's body, whose checksums are right. */
export interface Body {
  readonly bytes: Uint8Array;
  /** The headers of the checksums that came with it. */
  readonly checksums: Readonly<Record<string, string>>;
}

const CHECKSUM = /^x-amz-checksum-(crc32c?|crc64nvme|sha1|sha256|sha512|md5|xxhash\w+)$/;

type Digest = (bytes: Uint8Array) => string;

const DIGESTS: Readonly<Record<string, Digest>> = {
  'x-amz-checksum-crc32': crc32Of,
  'x-amz-checksum-sha1': (bytes) => digest('sha1', bytes),
  'x-amz-checksum-sha256': (bytes) => digest('sha256', bytes),
  'content-md5': (bytes) => digest('md5', bytes),
};

function crc32Of(bytes: Uint8Array): string {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(bytes));
  return sum.toString('base64');
}

function digest(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('base64');
}

/** @throws S3Error `BadDigest` if a checksum does not fit, `IncompleteBody` if a chunk is cut off */
export function bodyOf({ headers, body }: ServiceRequest): Body {
  const sent = typeof body === 'string' ? Buffer.from(body) : asBuffer(body);
  const isChunked = headers['x-amz-content-sha256']?.startsWith('STREAMING-') ?? false;
  const { bytes, trailer } = isChunked ? unchunked(sent) : { bytes: sent, trailer: {} };
  if (isChunked) checkLength(bytes, headers['x-amz-decoded-content-length']);
  const checksums: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...headers, ...trailer })) {
    if (name !== 'content-md5' && !CHECKSUM.test(name)) continue;
    const expected = DIGESTS[name];
    if (expected === undefined) throw notImplemented(`the checksum ${name}: use CRC32`);
    if (expected(bytes) !== value) {
      throw new S3Error('BadDigest', `The ${name} you specified did not match what we received.`);
    }
    if (name !== 'content-md5') checksums[name] = value;
  }
  return { bytes, checksums };
}

export function textOfBody(request: ServiceRequest): string {
  return Buffer.from(bodyOf(request).bytes).toString();
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Takes a body out of its chunks, which is how the SDKs send streams: each chunk has its length in
 * front, and headers follow the last one.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
function unchunked(sent: Buffer): { bytes: Uint8Array; trailer: Record<string, string> } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = sent.indexOf('\r\n', at);
    const [, digits] = /^([\da-f]+)(?:;|$)/i.exec(sent.toString('latin1', at, end)) ?? [];
    if (end < 0 || digits === undefined) throw incomplete();
    const [start, size] = [end + 2, Number.parseInt(digits, 16)];
    if (size === 0) {
      const lines = sent.toString('latin1', start).split('\r\n').filter(Boolean);
      const pairs = lines.map((line) => line.split(/:\s*(.*)/s, 2));
      const trailer = pairs.map(([name = '', value = '']) => [name.toLowerCase(), value.trim()]);
      const [only] = chunks;
      const bytes = only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks);
      return { bytes, trailer: Object.fromEntries(trailer) };
    }
    if (start + size + 2 > sent.length) throw incomplete();
    chunks.push(sent.subarray(start, start + size));
    at = start + size + 2;
  }
}

function checkLength(bytes: Uint8Array, declared: string | undefined): void {
  if (!declared) {
    const message = 'You must provide the Content-Length HTTP header.';
    throw new S3Error('MissingContentLength', message);
  }
  if (Number(declared) !== bytes.length) throw incomplete();
}

function incomplete(): S3Error {
  return new S3Error(
    'IncompleteBody',
    'The request body terminated unexpectedly, or is not in chunks as its headers say.',
  );
}
