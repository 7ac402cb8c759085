import { pipeline, Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../../errors.ts';
import { folderOf, type S3Folder, urlOf } from '../messages/results-place.ts';
import { getObject } from './object-reader.ts';
import type { Part } from './state.ts';

/** Yields the lines of a part in JSON Lines, in batches. */
export async function* linesOf(
  s3: S3Client,
  folder: S3Folder,
  part: Pick<Part, 'key' | 'folder' | 'frames'>,
): AsyncGenerator<string[], void> {
  const content = async function* () {
    for (const Range of rangesOf(part)) {
      const { Body } = await getPart(s3, folder, part, Range);
      yield* unpacked(Body instanceof Readable ? Body : Readable.from([]), part.key);
    }
  };
  yield* splitLines(content());
}

/** The ranges of a part's zstd frames: the decompressor of Node.js ends with the first one. */
function rangesOf({ frames }: Pick<Part, 'frames'>): (string | undefined)[] {
  if (frames === undefined) return [undefined];
  let end = 0;
  return frames.map((bytes) => {
    const from = end;
    end += bytes;
    return `bytes=${from}-${end - 1}`;
  });
}

/**
 * Yields the lines of an uncompressed part, which is read in ranges: so many parts may be open at
 * once that each must neither keep a connection nor much memory.
 */
export async function* linesInRanges(
  s3: S3Client,
  folder: S3Folder,
  part: Pick<Part, 'key' | 'bytes' | 'folder'>,
  { rangeBytes, from: start = 0 }: { rangeBytes: number; from?: number },
): AsyncGenerator<string[], void> {
  const { bytes } = part;
  const ranges = async function* () {
    for (let from = start; from < bytes; from += rangeBytes) {
      const Range = `bytes=${from}-${Math.min(bytes, from + rangeBytes) - 1}`;
      const { Body } = await getPart(s3, folder, part, Range);
      yield (await Body?.transformToByteArray()) ?? new Uint8Array();
    }
  };
  yield* splitLines(ranges());
}

/**
 * @param listing the folder of the run that lists the part
 * @throws FanfoldError `RunFailed` when the part is missing
 */
async function getPart(
  s3: S3Client,
  listing: S3Folder,
  part: Pick<Part, 'key' | 'folder'>,
  Range: string | undefined,
): Promise<GetObjectCommandOutput> {
  const folder = part.folder === undefined ? listing : folderOf(part.folder);
  const found = await getObject(s3, folder, part.key, Range);
  if (found) return found;
  throw new FanfoldError(
    'RunFailed',
    `${urlOf(folder)}${part.key} is missing: it has results of the run in ${urlOf(listing)}. Was it deleted, by a lifecycle rule or by hand?`,
  );
}

function unpacked(body: Readable, key: string): Readable {
  const unpacker = key.endsWith('.gz')
    ? createGunzip()
    : key.endsWith('.zst')
      ? createZstdDecompress()
      : undefined;
  // The unpacker fails with the body, and its reader gets the error.
  return unpacker ? pipeline(body, unpacker, () => {}) : body;
}

async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[], void> {
  // A character may be cut in two, but no line is, as its end is a byte of its own.
  let rest: Uint8Array[] = [];
  for await (const chunk of chunks) {
    const end = chunk.lastIndexOf(10);
    if (end < 0) {
      rest.push(chunk);
      continue;
    }
    const text = Buffer.concat([...rest, chunk.subarray(0, end)]).toString();
    rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : [];
    yield text.split('\n');
  }
  if (rest.length > 0) yield [Buffer.concat(rest).toString()];
}
