/**
 * Faults of a request's signature. Each protocol has its own names for them:
 *
 * - `missing`: the request isn't signed. Query: AccessDenied, 403.
 * - `unknownKey`: no caller has its access key id. Query: InvalidClientTokenId, 403.
 * - `mismatch`: for another request, service or time. Query: SignatureDoesNotMatch, 403.
 * - `malformed`: its signature's parameters can't be read. Query: IncompleteSignature, 400.
 */
export type SignatureFault = 'missing' | 'unknownKey' | 'mismatch' | 'malformed';

/** A request that is not proven to be a known caller's. Messages are AWS's where recorded. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
  readonly fault: SignatureFault;

  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.fault = fault;
  }
}
