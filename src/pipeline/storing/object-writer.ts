import { createHash } from 'node:crypto';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';

/** Size of the pieces in which a large object is uploaded. S3 allows 10,000 of at least 5 MiB. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Pieces that are uploaded in parallel. */
const PARALLEL = 2;

export interface ObjectPlace {
  Bucket: string;
  Key: string;
}

export interface WrittenObject {
  bytes: number;
  /** Base64. */
  sha256: string;
}

/**
 * Writes an object as its content is made, in pieces if it is large. It is there as a whole or not
 * at all. No object is written if there is no content.
 */
export async function writeObject(
  s3: S3Client,
  place: ObjectPlace & { ContentType?: string | undefined },
  content: AsyncIterable<Uint8Array>,
): Promise<WrittenObject | undefined> {
  const hash = createHash('sha256');
  const upload = new Upload(s3, place);
  let piece: Uint8Array[] = [];
  let pieceBytes = 0;
  let bytes = 0;
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      piece.push(chunk);
      pieceBytes += chunk.length;
      bytes += chunk.length;
      if (pieceBytes < PIECE_BYTES) continue;
      await upload.add(Buffer.concat(piece));
      [piece, pieceBytes] = [[], 0];
    }
    if (bytes === 0) return undefined;
    if (pieceBytes === bytes) {
      await s3.send(new PutObjectCommand({ ...place, Body: Buffer.concat(piece) }));
    } else {
      if (pieceBytes > 0) await upload.add(Buffer.concat(piece));
      await upload.complete();
    }
  } catch (error) {
    await upload.abort();
    throw error;
  }
  return { bytes, sha256: hash.digest('base64') };
}

/** A multipart upload. It begins with its first piece. */
class Upload {
  readonly #s3: S3Client;
  readonly #place: ObjectPlace;
  #id: Promise<string | undefined> | undefined;
  readonly #etags: Promise<string | undefined>[] = [];

  constructor(s3: S3Client, place: ObjectPlace) {
    this.#s3 = s3;
    this.#place = place;
  }

  /** Uploads a piece. Resolves when another may begin. */
  async add(Body: Uint8Array): Promise<void> {
    this.#id ??= this.#s3
      .send(new CreateMultipartUploadCommand(this.#place))
      .then(({ UploadId }) => UploadId);
    const PartNumber = this.#etags.length + 1;
    const UploadId = await this.#id;
    const etag = this.#s3
      .send(new UploadPartCommand({ ...this.#place, UploadId, PartNumber, Body }))
      .then(({ ETag }) => ETag);
    // A failure is thrown at a later piece, or at the end.
    etag.catch(() => {});
    this.#etags.push(etag);
    await this.#etags.at(-PARALLEL);
  }

  async complete(): Promise<void> {
    const etags = await Promise.all(this.#etags);
    const Parts = etags.map((ETag, at) => ({ ETag, PartNumber: at + 1 }));
    const UploadId = await this.#id;
    const MultipartUpload = { Parts };
    await this.#s3.send(
      new CompleteMultipartUploadCommand({ ...this.#place, UploadId, MultipartUpload }),
    );
  }

  /** A failure is ignored: the bucket's lifecycle rule removes what is left. */
  async abort(): Promise<void> {
    const UploadId = await this.#id?.catch(() => undefined);
    if (UploadId === undefined) return;
    await Promise.allSettled(this.#etags);
    const abort = new AbortMultipartUploadCommand({ ...this.#place, UploadId });
    await this.#s3.send(abort).catch(() => {});
  }
}
