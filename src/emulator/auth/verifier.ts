import { hash, timingSafeEqual } from 'node:crypto';
import type { ServiceRequest } from '../transport/index.ts';
import { canonicalRequest } from './canonical.ts';
import { type Claim, readClaim } from './claim.ts';
import { SignatureError } from './errors.ts';
import { onceInARow } from './once-in-a-row.ts';
import { type Credentials, type SigningKey, SigningKeys } from './signing-keys.ts';
import { checkClock, readTime } from './time.ts';

interface VerifierOptions {
  credentials: readonly Credentials[];
  /** Such as `us-east-1`. */
  region: string;
  /** The service's name in signatures, such as `sqs`. The rules for `s3` differ. */
  service: string;
}

interface Credential {
  keyId: string;
  /** Like `20150830`. */
  day: string;
  /** Everything except the key's id. */
  scope: string;
  /** Errors in its scope, except for the day. */
  faults: readonly string[];
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/**
 * Verifies that requests to one service in one region were signed with a caller's secret, by AWS
 * Signature Version 4, in the Authorization header or in the query string. Its checks have AWS's
 * order: syntax, time, signed headers, algorithm, scope, caller, and finally the signature.
 *
 * A signature covers the body, except for S3: a request can declare that its body is not signed, or
 * that it comes in chunks, whose own signatures are not verified. A session token is optional, and
 * is not looked up; if present, it must be signed like all of AWS's own headers.
 */
export class Verifier {
  readonly #region: string;
  readonly #service: string;
  readonly #keys: ReadonlyMap<string, SigningKeys>;
  readonly #readTime = onceInARow(readTime);
  readonly #readSignedHeaders = onceInARow(readSignedHeaders);
  readonly #readCredential = onceInARow((text) => this.#parseCredential(text));

  constructor({ credentials, region, service }: VerifierOptions) {
    this.#region = region;
    this.#service = service;
    this.#keys = new Map(
      credentials.map(({ accessKeyId, secretAccessKey }) => [
        accessKeyId,
        new SigningKeys(secretAccessKey, region, service),
      ]),
    );
  }

  /**
   * @param now Milliseconds since 1970.
   * @throws SignatureError
   */
  verify(request: ServiceRequest, now: number): void {
    this.verifyHead(request, now).verifyBody(request.body);
  }

  /**
   * Checks everything that does not require the request's body. If the body's hash is declared, as
   * by most SDKs, that includes the signature.
   *
   * @param now Milliseconds since 1970.
   * @throws SignatureError
   */
  verifyHead(head: ServiceRequest, now: number): VerifiedHead {
    const claim = readClaim(head);
    const time = this.#readTime(claim.date);
    checkClock(time, claim.expires, now);
    const signedHeaders = this.#readSignedHeaders(claim.signedHeaders);
    checkSigned(head.headers, signedHeaders);
    if (claim.algorithm !== ALGORITHM) {
      throw malformed(
        `Unsupported AWS 'algorithm': '${claim.algorithm}' (only ${ALGORITHM} for now).`,
      );
    }
    const credential = this.#readCredential(claim.credential);
    checkScope(credential, time.text);
    const { keyId, day, scope } = credential;
    const keys = this.#keys.get(keyId);
    if (keys === undefined) {
      throw new SignatureError(
        'unknownKey',
        'The security token included in the request is invalid.',
      );
    }
    const prefix = `${ALGORITHM}\n${time.text}\n${scope}\n`;
    const isS3 = this.#service === 's3';
    return new VerifiedHead({ head, claim, signedHeaders, key: keys.of(day), prefix, isS3 });
  }

  #parseCredential(credential: string): Credential {
    const parts = credential.split('/');
    const [keyId = '', day = '', region, service, terminator] = parts;
    if (parts.length !== 5) {
      throw malformed(
        `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
      );
    }
    const faults = [];
    if (region !== this.#region) {
      faults.push(`Credential should be scoped to a valid region, not '${region}'.`);
    }
    if (service !== this.#service) {
      faults.push(`Credential should be scoped to correct service: '${this.#service}'.`);
    }
    if (terminator !== 'aws4_request') {
      faults.push(
        `Credential should be scoped with a valid terminator: 'aws4_request', not '${terminator}'.`,
      );
    }
    return { keyId, day, scope: credential.slice(keyId.length + 1), faults };
  }
}

const HASH = /^[\da-f]{64}$/;

/** Values in place of a body's hash. Only S3 allows it. */
const UNSIGNED_BODY = /^(UNSIGNED-PAYLOAD|STREAMING-[A-Z\d-]+)$/;

interface Verifying {
  readonly head: ServiceRequest;
  readonly claim: Claim;
  readonly signedHeaders: readonly string[];
  readonly key: SigningKey;
  /** The text to sign, up to the hash of the canonical request. */
  readonly prefix: string;
  readonly isS3: boolean;
}

/** A request that is verified except for its body. */
export class VerifiedHead {
  readonly #verifying: Verifying;
  readonly #declared: string | undefined;
  readonly #hasUnsignedBody: boolean;
  /** Whether its signature is verified, which covers the declared hash of its body. */
  readonly isSigned: boolean;

  /** @throws SignatureError */
  constructor(verifying: Verifying) {
    this.#verifying = verifying;
    const { head, claim, isS3 } = verifying;
    const byDefault = isS3 && claim.presigned ? 'UNSIGNED-PAYLOAD' : undefined;
    const declared = head.headers['x-amz-content-sha256'] ?? byDefault;
    this.#declared = declared;
    this.#hasUnsignedBody = isS3 && declared !== undefined && UNSIGNED_BODY.test(declared);
    this.isSigned = this.#hasUnsignedBody || (declared !== undefined && HASH.test(declared));
    if (this.isSigned) this.#verify(declared ?? '', true);
  }

  /** @throws SignatureError */
  verifyBody(body: ServiceRequest['body']): void {
    if (this.#hasUnsignedBody) return;
    const bodyHash = hash('sha256', body, 'hex');
    const isDeclared = this.#declared === undefined || this.#declared === bodyHash;
    if (!this.isSigned || !isDeclared) this.#verify(bodyHash, isDeclared);
  }

  #verify(bodyHash: string, isDeclared: boolean): void {
    const { head, claim, signedHeaders: headers, key, prefix, isS3 } = this.#verifying;
    const { presigned } = claim;
    const canonical = canonicalRequest(head, { headers, bodyHash, presigned, isS3 });
    if (canonical === undefined) throw doesNotMatch();
    const signable = `${prefix}${hash('sha256', canonical, 'hex')}`;
    if (!isDeclared || !isSame(key.sign(signable), claim.signature)) {
      throw doesNotMatch(canonical, signable);
    }
  }
}

/** Refuses a credential whose scope is not that of the request. */
function checkScope({ day, faults }: Credential, time: string): void {
  const today = time.slice(0, 8);
  if (day === today && faults.length === 0) return;
  const wrongDay = `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${day}' != '${today}', from '${time}'.`;
  throw mismatch([...faults, ...(day === today ? [] : [wrongDay])].join(' '));
}

function readSignedHeaders(joined: string): readonly string[] {
  const names = joined.split(';');
  if (!names.includes('host')) throw unsigned("'Host' or ':authority'");
  // AWS can't arrive at a list that isn't sorted, or that names a header twice.
  if (names.some((name, at) => at > 0 && name <= (names[at - 1] ?? ''))) throw doesNotMatch();
  return names;
}

/** Refuses AWS's own headers if they are not signed. */
function checkSigned(headers: ServiceRequest['headers'], names: readonly string[]): void {
  for (const name in headers) {
    if (name.startsWith('x-amz-') && !names.includes(name)) throw unsigned(`'${name}'`);
  }
}

/** Compares in constant time, which reveals nothing about where they differ. */
function isSame(ours: string, theirs: string): boolean {
  const [one, other] = [Buffer.from(ours), Buffer.from(theirs)];
  return one.length === other.length && timingSafeEqual(one, other);
}

function doesNotMatch(canonical?: string, signable?: string): SignatureError {
  const message =
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
  if (canonical === undefined) return mismatch(message);
  return mismatch(
    `${message}\n\nThe Canonical String for this request should have been\n'${canonical}'\n\nThe String-to-Sign should have been\n'${signable}'\n`,
  );
}

function unsigned(header: string): SignatureError {
  return mismatch(`${header} must be a 'SignedHeader' in the AWS Authorization.`);
}

function mismatch(message: string): SignatureError {
  return new SignatureError('mismatch', message);
}

function malformed(message: string): SignatureError {
  return new SignatureError('malformed', message);
}
