import { NoSuchKey, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { retry } from '../../retry.ts';
import { isTransient, PATIENCE_MS } from '../call-errors.ts';
import { type S3Folder, urlOf } from '../messages/results-place.ts';
import { getObject } from './object-reader.ts';
import { decodeRun, encodeRun, type StoredRun } from './state.ts';

/** Thrown by a collector that another one has replaced: it must not store or delete anything. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
  /** The record of the run, which another collector wrote; undefined if there is none any more. */
  readonly run: StoredRun | undefined;

  constructor(message: string, run: StoredRun | undefined) {
    super(message);
    this.run = run;
  }
}

const KEY = 'state';

/** The object that holds a run's record. Each write is a compare-and-swap on the version before. */
export class StateObject {
  readonly #s3: S3Client;
  readonly #folder: S3Folder;
  #etag: string;
  #run: StoredRun;

  private constructor(s3: S3Client, folder: S3Folder, etag: string, run: StoredRun) {
    this.#s3 = s3;
    this.#folder = folder;
    this.#etag = etag;
    this.#run = run;
  }

  /** Creates the object. Returns false if there is one. */
  static async create(s3: S3Client, folder: S3Folder, run: StoredRun): Promise<boolean> {
    try {
      await put(s3, folder, run, { IfNoneMatch: '*' });
      return true;
    } catch (error) {
      if (isConflict(error)) return false;
      throw error;
    }
  }

  /** Reads the object; undefined if there is none. */
  static async load(s3: S3Client, folder: S3Folder): Promise<StateObject | undefined> {
    const found = await read(s3, folder);
    return found && new StateObject(s3, folder, found.etag, found.run);
  }

  /** The record as it was read or written last. */
  get run(): StoredRun {
    return this.#run;
  }

  /** @throws Superseded when another writer has replaced the record */
  async check(): Promise<void> {
    const found = await this.#read();
    if (found?.etag !== this.#etag) throw this.#superseded(found?.run);
  }

  /**
   * Replaces the record.
   *
   * @throws Superseded when another writer has replaced it
   */
  async replace(changes: Partial<StoredRun>): Promise<void> {
    const run = { ...this.#run, ...changes, serial: this.#run.serial + 1 };
    const write = () => put(this.#s3, this.#folder, run, { IfMatch: this.#etag });
    // Two writes at once conflict, and one of them is to be repeated.
    this.#etag = await retry(write, {
      while: (error, _, failingMs) =>
        (isTransient(error) || isBusy(error)) && failingMs < PATIENCE_MS,
    }).catch(async (error: unknown) => {
      if (!isConflict(error)) throw error;
      // The answer of an earlier try may have been lost.
      const found = await this.#read();
      const isOurs = found?.run.owner === run.owner && found.run.epoch === run.epoch;
      if (isOurs && found.run.serial === run.serial) return found.etag;
      throw this.#superseded(found?.run);
    });
    this.#run = run;
  }

  #read() {
    return retry(() => read(this.#s3, this.#folder), {
      while: (error, _, failingMs) => isTransient(error) && failingMs < PATIENCE_MS,
    });
  }

  #superseded(run: StoredRun | undefined): Superseded {
    const url = `${urlOf(this.#folder)}${KEY}`;
    return new Superseded(`${url} was replaced by another collector`, run);
  }
}

/** Writes a record, and returns the object's new ETag. */
async function put(
  s3: S3Client,
  { bucket, prefix }: S3Folder,
  run: StoredRun,
  condition: { IfMatch?: string; IfNoneMatch?: string },
): Promise<string> {
  const { ETag = '' } = await s3.send(
    new PutObjectCommand({
      Bucket: bucket,
      Key: `${prefix}${KEY}`,
      Body: encodeRun(run),
      ContentType: 'application/octet-stream',
      ...condition,
    }),
  );
  return ETag;
}

async function read(
  s3: S3Client,
  folder: S3Folder,
): Promise<{ run: StoredRun; etag: string } | undefined> {
  const found = await getObject(s3, folder, KEY);
  if (found === undefined) return undefined;
  const content = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
  return { run: decodeRun(content, `${urlOf(folder)}${KEY}`), etag: found.ETag ?? '' };
}

/** Whether the object is not the one that the condition names. */
function isConflict(error: unknown): boolean {
  // If the object is missing, S3 answers a condition with NoSuchKey.
  return statusOf(error) === 412 || error instanceof NoSuchKey;
}

/** Whether another write to the object was under way. */
function isBusy(error: unknown): boolean {
  return statusOf(error) === 409;
}

function statusOf(error: unknown): number | undefined {
  return error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
}
