import type { ServiceRequest, ServiceResponse } from '../transport/index.ts';
import { element, textElement, XML_HEAD } from './xml.ts';

/** S3's errors: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const STATUSES = {
  AccessDenied: 403,
  AuthorizationHeaderMalformed: 400,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  ConditionalRequestConflict: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedXML: 400,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  PermanentRedirect: 301,
  PreconditionFailed: 412,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
} as const;

export type S3ErrorCode = keyof typeof STATUSES;

/** What an error tells besides its code and message. */
interface Details {
  /** Elements of its XML. */
  elements?: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
}

/** S3's refusal of a request. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: S3ErrorCode;
  readonly details: Details;

  constructor(code: S3ErrorCode, message: string, details: Details = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

export function noSuchKey(key: string): S3Error {
  const elements = { Key: key };
  return new S3Error('NoSuchKey', 'The specified key does not exist.', { elements });
}

export function preconditionFailed(condition: string): S3Error {
  const message = 'At least one of the pre-conditions you specified did not hold';
  return new S3Error('PreconditionFailed', message, { elements: { Condition: condition } });
}

export function notImplemented(what: string): S3Error {
  return new S3Error('NotImplemented', `This S3 does not support ${what}.`);
}

export function errorResponse(
  { code, message, details }: S3Error,
  { method }: Pick<ServiceRequest, 'method'>,
  requestId: string,
): ServiceResponse {
  const texts = { Code: code, Message: message, ...details.elements, RequestId: requestId };
  const elements = Object.entries(texts).map(([name, text]) => textElement(name, text));
  const headers = { ...details.headers, 'x-amz-request-id': requestId };
  // The answer to a HEAD has no body: clients know its error by the status only.
  if (method === 'HEAD') return { status: STATUSES[code], headers, body: '' };
  return {
    status: STATUSES[code],
    headers: { ...headers, 'content-type': 'application/xml' },
    body: `${XML_HEAD}${element('Error', elements.join(''))}`,
  };
}
