import { pipeline, Readable } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import type { Compression } from './formats.ts';

/**
 * The levels are the tools' own defaults: results compress to about a tenth with either, and higher
 * levels take several times as long for a few percent.
 */
const GZIP_LEVEL = 6;

const ZSTD_LEVEL = 3;

/** Compresses a stream of bytes; without a compression, passes it on. */
export async function* compressed(
  bytes: AsyncIterable<Uint8Array>,
  compression: Compression | undefined,
): AsyncGenerator<Uint8Array, void> {
  if (compression === undefined) {
    yield* bytes;
    return;
  }
  const packer = compression === 'gzip' ? gzip() : zstd();
  // An error of the source destroys the packer with it, so the loop throws it. If the reader stops
  // early, the source is closed.
  pipeline(Readable.from(bytes), packer, () => undefined);
  yield* packer;
}

const gzip = () => createGzip({ level: GZIP_LEVEL });

const zstd = () =>
  createZstdCompress({
    params: {
      [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL,
      // Lets readers detect a file that was damaged: gzip always has a checksum.
      [constants.ZSTD_c_checksumFlag]: 1,
    },
  });
