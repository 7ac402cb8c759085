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
export const PIECE_BYTES = 8 * 1024 * 1024;

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
  const draft = new ObjectDraft(s3, place);
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      await draft.add(chunk);
    }
    await draft.complete();
  } catch (error) {
    await draft.abort();
    throw error;
  }
  const { bytes } = draft;
  return bytes === 0 ? undefined : { bytes, sha256: hash.digest('base64') };
}

/** What another process needs to continue an object. */
export interface SavedDraft {
  uploadId: string | undefined;
  etags: (string | undefined)[];
  bytes: number;
  /** Content that is not uploaded yet, as it is shorter than a piece. */
  rest: Uint8Array;
}

/** An object that is being written. Its multipart upload begins with the first piece. */
export class ObjectDraft {
  readonly #s3: S3Client;
  readonly #place: ObjectPlace;
  readonly #pieceBytes: number;
  #id: Promise<string | undefined> | undefined;
  readonly #etags: Promise<string | undefined>[];
  #rest: Uint8Array[];
  #restBytes: number;
  #bytes: number;

  /** @param saved of another process, which is continued. @default a new object */
  constructor(s3: S3Client, place: ObjectPlace, pieceBytes = PIECE_BYTES, saved?: SavedDraft) {
    this.#s3 = s3;
    this.#place = place;
    this.#pieceBytes = pieceBytes;
    this.#id = saved?.uploadId === undefined ? undefined : Promise.resolve(saved.uploadId);
    this.#etags = saved?.etags.map((etag) => Promise.resolve(etag)) ?? [];
    this.#rest = saved ? [saved.rest] : [];
    this.#restBytes = saved?.rest.length ?? 0;
    this.#bytes = saved?.bytes ?? 0;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Adds content. Resolves when there is room for more. */
  async add(chunk: Uint8Array): Promise<void> {
    this.#rest.push(chunk);
    this.#restBytes += chunk.length;
    this.#bytes += chunk.length;
    if (this.#restBytes >= this.#pieceBytes) await this.#upload();
  }

  /** Uploads a piece. Resolves when another may begin. */
  async #upload(): Promise<void> {
    const Body = this.#taken();
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

  #taken(): Uint8Array {
    const content = Buffer.concat(this.#rest);
    [this.#rest, this.#restBytes] = [[], 0];
    return content;
  }

  /** Writes the object, unless it is empty. */
  async complete(): Promise<void> {
    if (this.#id === undefined) {
      if (this.#bytes === 0) return;
      await this.#s3.send(new PutObjectCommand({ ...this.#place, Body: this.#taken() }));
      return;
    }
    if (this.#restBytes > 0) await this.#upload();
    const etags = await Promise.all(this.#etags);
    const Parts = etags.map((ETag, at) => ({ ETag, PartNumber: at + 1 }));
    const UploadId = await this.#id;
    const MultipartUpload = { Parts };
    await this.#s3.send(
      new CompleteMultipartUploadCommand({ ...this.#place, UploadId, MultipartUpload }),
    );
  }

  /** Ends the work on it here, so that another process can continue it. */
  async save(): Promise<SavedDraft> {
    const etags = await Promise.all(this.#etags);
    return { uploadId: await this.#id, etags, bytes: this.#bytes, rest: this.#taken() };
  }

  /** A failure is ignored: what is left is removed at the run's end, or by a lifecycle rule. */
  async abort(): Promise<void> {
    const UploadId = await this.#id?.catch(() => undefined);
    if (UploadId === undefined) return;
    await Promise.allSettled(this.#etags);
    const abort = new AbortMultipartUploadCommand({ ...this.#place, UploadId });
    await this.#s3.send(abort).catch(() => {});
  }
}
