/**
 * What is wrong with a request's signature. Each protocol has its own names for these:
 *
 * - `missing`: the request isn't signed. Query: AccessDenied, 403.
 * - `unknownKey`: no caller has its access key id. Query: InvalidClientTokenId, 403.
 * - `mismatch`: signed, but not this request, for this service, or for now. Query:
 *   SignatureDoesNotMatch, 403.
 * - `malformed`: what it says of its signature can't be read. Query: IncompleteSignature, 400.
 */
export type SignatureFault = 'missing' | 'unknownKey' | 'mismatch' | 'malformed';

/** A request that isn't shown to come from a known caller. Its texts are AWS's where recorded. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
  readonly fault: SignatureFault;

  constructor(fault: SignatureFault, message: string) {
    super(message);
    this.fault = fault;
  }
}
