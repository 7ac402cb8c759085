import type { ServiceRequest, ServiceResponse } from '../transport/index.ts';
import type { Objects } from './objects.ts';

/** One request, and everything that its action needs. */
export interface Call {
  readonly request: ServiceRequest;
  readonly bucket: string;
  /** Empty if the request is about the bucket. */
  readonly key: string;
  readonly objects: Objects;
  /** Address at which the request arrived. */
  readonly region: string;
  readonly minPartBytes: number;
  /** Milliseconds since 1970, in whole seconds. */
  readonly now: number;
  /** @throws S3Error `AccessDenied` unless the caller may also do this */
  check(action: string): void;
}

export type Action = (call: Call) => ServiceResponse;

/** An action that a caller asks for, and its object. */
export interface Access {
  /** In the terms of IAM, such as `s3:GetObject`. */
  readonly action: string;
  readonly bucket: string;
  /** Undefined if it is about the bucket. */
  readonly key: string | undefined;
  /** Of a listing. */
  readonly prefix: string | undefined;
  /** The caller's access key id; undefined if the request is not signed. */
  readonly caller: string | undefined;
}
