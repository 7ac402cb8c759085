import { randomUUID } from 'node:crypto';
import {
  type Credentials,
  SignatureError,
  type SignatureFault,
  signedService,
  Verifier,
} from '../auth/index.ts';
import type {
  Service,
  ServiceRequest,
  ServiceResponse,
  SignedService,
} from '../transport/index.ts';
import { addBucket, checkBucket, createBucket, listBuckets } from './actions/buckets.ts';
import type { Access, Action, Call } from './call.ts';
import { errorResponse, S3Error, type S3ErrorCode } from './errors.ts';
import { Objects } from './objects.ts';
import { placeOf, routeOf } from './routes.ts';
import { MemoryStorage, type Storage } from './storage.ts';

/** AWS's own limit. */
const MIN_PART_BYTES = 5 * 1024 * 1024;

const NEEDS_NO_BUCKET: ReadonlySet<Action> = new Set([createBucket, listBuckets]);

/** Options of an `S3`. */
export interface S3Options {
  /** The region of requests: a bucket elsewhere is answered with a redirect. @default 'us-east-1' */
  region?: string;
  /** The account that owns all buckets. @default '000000000000' */
  accountId?: string;
  /** Where the objects are kept. @default in memory */
  storage?: Storage;
  /** Milliseconds since 1970. @default the time of `Date` */
  now?: () => number;
  /** Whether a caller may do something. @default everybody may do everything */
  allows?: (access: Access) => boolean;
  /** Smallest part of an upload, except for its last one, in bytes. @default 5 MiB */
  minPartBytes?: number;
}

/**
 * An S3 in this process. It has no timers, and a change happens at once. Give `service` to an SDK
 * client (`createS3Client` does) or serve it on a port (`serveS3`).
 */
export class S3 {
  readonly region: string;
  readonly #accountId: string;
  readonly #storage: Storage;
  readonly #objects: Objects;
  readonly #now: () => number;
  readonly #allows: (access: Access) => boolean;
  readonly #minPartBytes: number;

  constructor({
    region = 'us-east-1',
    accountId = '000000000000',
    storage = new MemoryStorage(),
    now = () => Date.now(),
    allows = () => true,
    minPartBytes = MIN_PART_BYTES,
  }: S3Options = {}) {
    this.region = region;
    this.#accountId = accountId;
    this.#storage = storage;
    this.#objects = new Objects(storage);
    this.#now = now;
    this.#allows = allows;
    this.#minPartBytes = minPartBytes;
  }

  /** Adds a bucket, without a request. One that exists stays as it is. */
  addBucket(bucket: string, region = this.region): void {
    addBucket(this.#objects, bucket, region, this.#seconds());
  }

  close(): void {
    this.#storage.close();
  }

  /** Answers requests of any caller. */
  readonly service: Service = (request) => {
    const requestId = randomUUID();
    try {
      const answer = this.#answer(request);
      return { ...answer, headers: { ...answer.headers, 'x-amz-request-id': requestId } };
    } catch (error) {
      return refusal(error, request, requestId);
    }
  };

  /** A service that accepts only requests that are signed with one of the keys. */
  signedService(credentials: readonly Credentials[]): SignedService {
    const verifier = new Verifier({ credentials, region: this.region, service: 's3' });
    return signedService(verifier, this.service, refusal);
  }

  #answer(request: ServiceRequest): ServiceResponse {
    const { bucket, key } = placeOf(request);
    const check = (action: string) => this.#check(request, { action, bucket, key });
    const { action, permission } = routeOf(request, { bucket, key });
    if (!NEEDS_NO_BUCKET.has(action)) checkBucket(this.#objects, bucket, this.region);
    check(permission);
    const call: Call = {
      ...{ request, bucket, key, check },
      objects: this.#objects,
      region: this.region,
      minPartBytes: this.#minPartBytes,
      now: this.#seconds(),
    };
    return action(call);
  }

  #check({ headers, query }: ServiceRequest, to: Pick<Access, 'action' | 'bucket' | 'key'>): void {
    const owner = headers['x-amz-expected-bucket-owner'] ?? this.#accountId;
    const credential = /Credential=([^/,\s]+)/.exec(headers.authorization ?? '')?.[1];
    const isAllowed = this.#allows({
      ...to,
      key: to.key === '' ? undefined : to.key,
      prefix: query.get('prefix') ?? undefined,
      caller: credential ?? query.get('X-Amz-Credential')?.split('/')[0],
    });
    if (isAllowed && owner === this.#accountId) return;
    throw new S3Error('AccessDenied', `Access Denied: not authorized to perform ${to.action}`);
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000) * 1000;
  }
}

const FAULTS: Record<SignatureFault, S3ErrorCode> = {
  missing: 'AccessDenied',
  unknownKey: 'InvalidAccessKeyId',
  mismatch: 'SignatureDoesNotMatch',
  malformed: 'AuthorizationHeaderMalformed',
};

export function refusal(
  error: unknown,
  request: ServiceRequest,
  requestId: string = randomUUID(),
): ServiceResponse {
  if (error instanceof S3Error) return errorResponse(error, request, requestId);
  if (!(error instanceof SignatureError)) throw error;
  return errorResponse(new S3Error(FAULTS[error.fault], error.message), request, requestId);
}
