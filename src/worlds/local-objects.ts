import { rmSync } from 'node:fs';
import type { Credentials } from '../emulator/auth/index.ts';
import type { S3 } from '../emulator/s3/s3.ts';
import type { Service, ServiceRequest, SignedService } from '../emulator/transport/index.ts';
import { MAX_PAYLOAD_BYTES } from '../pipeline/messages/payload.ts';
import { MAX_DEADLINE_SECONDS } from '../pipeline/names.ts';
import { Payloads } from '../pipeline/run/payloads.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';

/** The bucket of a local deployment. No account is called so, and thus no path of a queue. */
export const BUCKET = 'fanfold-objects';

/** The longest deadline of a run and a day, as in the lifecycle rule of a stack's bucket. */
const KEPT_MS = (MAX_DEADLINE_SECONDS + 86_400) * 1000;

export interface LocalObjectsOptions {
  /** The folder that keeps the objects. @default a temporary one, which `close` deletes */
  folder?: string | undefined;
  region: string;
}

/**
 * The S3 of a local deployment, for inputs and outputs that no message can hold. Most runs have none:
 * it is loaded, and its folder made, at the first request.
 */
export class LocalObjects {
  readonly payloads: Payloads;
  readonly #options: LocalObjectsOptions;
  #temporary: string | undefined;
  #opened: Promise<S3> | undefined;

  constructor(options: LocalObjectsOptions) {
    this.#options = options;
    this.payloads = new Payloads(async () => {
      const { createS3Client } = await import('../emulator/s3/client.ts');
      return { bucket: BUCKET, s3: createS3Client(await this.#open()) };
    });
  }

  /** Answers requests for objects here, and all others by another service. */
  besides(others: Service): Service {
    return (request) => (isForObjects(request) ? this.#answer(request) : others(request));
  }

  /** A service for requests that are signed with one of the keys. */
  async signedService(credentials: readonly Credentials[]): Promise<SignedService> {
    return (await this.#open()).signedService(credentials);
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    opened?.close();
    process.off('exit', this.#remove);
    this.#remove();
  }

  /** Removes the temporary folder, also if the process ends without a call of `close`. */
  readonly #remove = () => {
    if (this.#temporary === undefined) return;
    rmSync(this.#temporary, { recursive: true, force: true });
  };

  async #answer(request: ServiceRequest) {
    return (await this.#open()).service(request);
  }

  #open(): Promise<S3> {
    this.#opened ??= this.#load();
    return this.#opened;
  }

  async #load(): Promise<S3> {
    const [{ S3 }, { openFolder }] = await Promise.all([
      import('../emulator/s3/s3.ts'),
      import('../emulator/s3/folder.ts'),
    ]);
    const { folder = this.#makeTemporary(), region } = this.#options;
    const storage = openFolder(folder, {
      durable: this.#temporary === undefined,
      maxAgeMs: KEPT_MS,
    });
    const s3 = new S3({ storage, region });
    s3.addBucket(BUCKET);
    return s3;
  }

  #makeTemporary(): string {
    this.#temporary = makeTemporaryFolder('fanfold-objects');
    process.once('exit', this.#remove);
    return this.#temporary;
  }
}

/** Whether a request is for the bucket, whose name begins its path. */
export function isForObjects({ path }: ServiceRequest): boolean {
  return path.startsWith(`/${BUCKET}`);
}

/** Longest body of a request: an object, or what the largest page of inputs takes. */
export function maxBodyBytes(request: ServiceRequest): number {
  return isForObjects(request) ? MAX_PAYLOAD_BYTES : MAX_BODY_BYTES;
}

const MAX_BODY_BYTES = 16 * 1024 * 1024;
