import type { Credentials } from '../auth/index.ts';
import {
  type BodyFault,
  type Listening,
  listen,
  type ServiceRequest,
  type ServiceResponse,
} from '../transport/index.ts';
import { S3Error, type S3ErrorCode } from './errors.ts';
import { refusal, type S3 } from './s3.ts';

/** Longest body of a request: it is held in memory. */
const MAX_BODY_BYTES = 128 * 1024 * 1024;

export interface ServeS3Options {
  /** The address to listen on. @default '127.0.0.1' */
  host?: string;
  /** The port to listen on. @default any free port */
  port?: number;
  /** Key pairs that requests must be signed with. @default none: anybody may call it */
  credentials?: readonly Credentials[];
  /** Whether the process may exit while only the port is open. @default false */
  background?: boolean;
}

/** Serves an S3 on a port, to clients with \`forcePathStyle\`. */
export function serveS3(s3: S3, options: ServeS3Options = {}): Promise<Listening> {
  const { credentials, ...others } = options;
  const service = credentials ? s3.signedService(credentials) : s3.service;
  return listen(service, { ...others, maxBodyBytes: MAX_BODY_BYTES, refuseBody });
}

/** Answers, in S3's own way, a request whose body is not read. */
export function refuseBody(
  request: ServiceRequest,
  fault: BodyFault,
  message: string,
): ServiceResponse {
  return refusal(new S3Error(BODY_ERRORS[fault], message), request);
}

const BODY_ERRORS: Record<BodyFault, S3ErrorCode> = {
  tooLong: 'EntityTooLarge',
  noRoom: 'SlowDown',
};
