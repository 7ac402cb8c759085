import { hash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { FanfoldError } from '../../errors.ts';
import { retry } from '../../retry.ts';
import { isDenied, isTransient } from '../call-errors.ts';
import type { OutputPayload, Payload } from '../messages/payload.ts';

/** The deployment's bucket, and a client for it. */
export interface PayloadPlace {
  s3: S3Client;
  bucket: string;
}

/** Why an object can't be had, or made, whatever is tried. The message is the end of a sentence. */
export class PayloadError extends FanfoldError {
  /** `gone`: the object is not there, or another one is, so that no caller can have it. */
  readonly kind: 'gone' | 'denied' | 'noBucket';

  constructor(kind: PayloadError['kind'], reason: string, options?: ErrorOptions) {
    super('RunFailed', reason, options);
    this.kind = kind;
  }
}

/** Tries of a call whose connection breaks; the SDK's own come on top. */
const TRIES = 4;

/** Longest time for an object to be sent, beside that for its bytes, in milliseconds. */
const MOST_MS = 60_000;

/** The slowest line that may send large outputs: about a megabit a second, as of a machine at home. */
const SLOWEST_BYTES_A_MS = 125;

const PREFIX = 'payloads/';

/**
 * Inputs and outputs that no message can hold, each in an object of the deployment's bucket. Most
 * runs have none: nothing is loaded or looked up before the first.
 */
export class Payloads {
  readonly #find: () => Promise<PayloadPlace | undefined>;
  #found: Promise<PayloadPlace | undefined> | undefined;
  /** Runs of which something was stored or fetched here. */
  readonly #runs = new Set<string>();

  /** @param find finds the bucket; it may have none, as a stack of an earlier version */
  constructor(find: () => Promise<PayloadPlace | undefined>) {
    this.#find = find;
  }

  /** Stores an input. Doing so again writes the same object. */
  putInput(runId: string, index: number, text: string): Promise<Payload> {
    return this.#put(runId, inputName(index), text);
  }

  /** @throws PayloadError */
  getInput(runId: string, index: number, payload: Payload): Promise<string> {
    return this.#get(runId, inputName(index), payload);
  }

  /** Stores an output. Two attempts may differ, so that each has an object of its own. */
  async putOutput(runId: string, index: number, text: string): Promise<OutputPayload> {
    const name = `output-${index}-${crypto.randomUUID().replaceAll('-', '').slice(0, 20)}`;
    return { name, ...(await this.#put(runId, name, text)) };
  }

  /** @throws PayloadError */
  getOutput(runId: string, { name, ...payload }: OutputPayload): Promise<string> {
    return this.#get(runId, name, payload);
  }

  /**
   * Deletes all objects of a run that is over, if it has any as far as is known here. A failure is
   * ignored: the bucket's lifecycle rule deletes what is left.
   *
   * @param mayHave whether others may have stored some
   */
  async deleteOf(runId: string, mayHave = false): Promise<void> {
    if (!this.#runs.delete(runId) && !mayHave) return;
    await this.#delete(runId).catch(() => {});
  }

  /**
   * Stores what others may know of a run. It stays when the run's objects are deleted, until the
   * bucket's lifecycle rule deletes it.
   */
  async putStatistics(runId: string, Body: Uint8Array, abortSignal: AbortSignal): Promise<void> {
    const { s3, bucket: Bucket } = await this.#known();
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const put = new PutObjectCommand({ Bucket, Key: statisticsKey(runId), Body });
    await s3.send(put, { abortSignal }).catch((error) => {
      throw explained(error);
    });
  }

  /** @throws PayloadError, such as when there are none */
  async getStatistics(runId: string): Promise<Uint8Array> {
    const { s3, bucket: Bucket } = await this.#known();
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const get = new GetObjectCommand({ Bucket, Key: statisticsKey(runId) });
    const { Body } = await s3.send(get).catch((error) => {
      throw explained(error);
    });
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  }

  async #put(runId: string, name: string, text: string): Promise<Payload> {
    const { s3, bucket } = await this.#place(runId);
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const Body = Buffer.from(text);
    const put = new PutObjectCommand({
      ...{ Bucket: bucket, Key: keyOf(runId, name), Body },
      ContentType: 'application/json',
    });
    const requestTimeout = MOST_MS + Math.ceil(Body.length / SLOWEST_BYTES_A_MS);
    await patiently(() => s3.send(put, { requestTimeout }));
    return { bytes: Body.length, sha256: hash('sha256', Body) };
  }

  async #get(runId: string, name: string, { bytes, sha256 }: Payload): Promise<string> {
    const { s3, bucket } = await this.#place(runId);
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const get = new GetObjectCommand({ Bucket: bucket, Key: keyOf(runId, name) });
    const found = await patiently(async () => {
      const { Body, ContentLength } = await s3.send(get);
      if (ContentLength !== bytes) throw new PayloadError('gone', DIFFERENT);
      return Buffer.concat(await Array.fromAsync(Body as unknown as AsyncIterable<Uint8Array>));
    });
    if (found.length !== bytes || hash('sha256', found) !== sha256) {
      throw new PayloadError('gone', DIFFERENT);
    }
    return found.toString();
  }

  async #delete(runId: string): Promise<void> {
    const { s3, bucket } = await this.#place(runId);
    this.#runs.delete(runId);
    const { DeleteObjectsCommand, paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
    const list = { Bucket: bucket, Prefix: keyOf(runId, '') };
    for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, list)) {
      const Objects = Contents.flatMap(({ Key }) => (Key === undefined ? [] : [{ Key }]));
      if (Objects.length === 0) continue;
      await s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    }
  }

  async #place(runId: string): Promise<PayloadPlace> {
    const found = await this.#known();
    this.#runs.add(runId);
    return found;
  }

  async #known(): Promise<PayloadPlace> {
    this.#found ??= this.#find();
    // A call that failed may succeed the next time.
    this.#found.catch(() => {
      this.#found = undefined;
    });
    const found = await this.#found;
    if (found === undefined) throw new PayloadError('noBucket', NO_BUCKET);
    return found;
  }
}

const NO_BUCKET =
  'this deployment has no bucket for larger ones. Deploy it with the present version of Fanfold, or restart its server with it';
const MISSING = 'its object in the bucket for large inputs and outputs is missing';
const DIFFERENT =
  'its object in the bucket for large inputs and outputs is not the one that was stored';

function inputName(index: number): string {
  return `input-${index}`;
}

/** The key of an object, which its run determines. No message names another run's object. */
function keyOf(runId: string, name: string): string {
  return `${PREFIX}${runId}/${name}`;
}

/** No run has this folder. */
const STATISTICS = 'statistics';

function statisticsKey(runId: string): string {
  return keyOf(STATISTICS, runId);
}

/** The run of an object or of a prefix of them; undefined if it is another object. */
export function runOfObject(key: string): string | undefined {
  const [folder, first, second] = key.split('/');
  if (`${folder}/` !== PREFIX) return undefined;
  return first === STATISTICS ? second : first;
}

/** Tries a call again whose connection broke, and tells what no other try can change. */
async function patiently<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await retry(call, {
      while: (error, failures) => failures < TRIES && !isFinal(error),
    });
  } catch (error) {
    throw explained(error);
  }
}

/** Whether it is an answer of S3, and not a fault on the way. */
function isFinal(error: unknown): boolean {
  if (error instanceof PayloadError) return true;
  return error instanceof Error && '$metadata' in error && !isTransient(error);
}

function explained(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof PayloadError || !isFinal(error)) return error;
  if (/^(NoSuchKey|NotFound)$/.test(error.name)) {
    return new PayloadError('gone', MISSING, { cause: error });
  }
  if (error.name === 'NoSuchBucket')
    return new PayloadError('noBucket', NO_BUCKET_NOW, { cause: error });
  if (!isDenied(error)) return error;
  const why = `the bucket for large inputs and outputs denies access, as it does if an object is missing: ${error.message}`;
  return new PayloadError('denied', why, { cause: error });
}

const NO_BUCKET_NOW = 'the bucket for large inputs and outputs does not exist any more';
