import { type VerifiedHead, Verifier, type Verifying } from '../auth/index.ts';
import { onceInARow } from '../auth/once-in-a-row.ts';
import type { ServiceRequest } from '../transport/index.ts';
import type { Accounts } from './engine/accounts.ts';
import type { Owner } from './engine/queue-state.ts';
import type { Queues } from './engine/queues.ts';

/** A key pair that the server accepts, and its account. */
export interface SqsCredentials {
  /** The id that requests name. */
  readonly accessKeyId: string;
  /** The secret that signs requests. */
  readonly secretAccessKey: string;
  /** The account whose queues it gives access to. @default the server's own */
  readonly accountId?: string;
}

/** The key and the region that a signature names. */
interface Scope {
  readonly keyId: string;
  readonly region: string;
}

/**
 * Finds the queues of the account and the region that a request names, without verification. An
 * access key id of 12 digits is an account id, as in LocalStack.
 */
export function claimedQueues(accounts: Accounts): (request: ServiceRequest) => Queues {
  const { own } = accounts;
  const ownerOf = onceInARow((credential): Owner => {
    const scope = readScope(credential);
    if (scope === undefined) return own.owner;
    const accountId = /^\d{12}$/.test(scope.keyId) ? scope.keyId : own.accountId;
    return { accountId, region: scope.region };
  });
  return (request) => {
    const credential = credentialOf(request);
    return credential === undefined ? own : accounts.of(ownerOf(credential));
  };
}

/** Finds the queues of a verified request, by the account of its key. */
export function keysQueues(accounts: Accounts, credentials: readonly SqsCredentials[]) {
  const { own } = accounts;
  const accountIds = new Map(
    credentials.map(({ accessKeyId, accountId }) => [accessKeyId, accountId]),
  );
  const ownerOf = onceInARow((credential): Owner => {
    const { keyId = '', region = own.owner.region } = readScope(credential) ?? {};
    return { accountId: accountIds.get(keyId) ?? own.accountId, region };
  });
  return (request: ServiceRequest): Queues => accounts.of(ownerOf(credentialOf(request) ?? ''));
}

/** A verifier of requests that are signed with one of the keys, for one region or for all. */
export function verifierOf(
  credentials: readonly SqsCredentials[],
  region: string,
  everyRegion: boolean,
): Verifying {
  const own = new Verifier({ credentials, region, service: 'sqs' });
  return everyRegion ? new RegionalVerifier(credentials, region, own) : own;
}

/** Verifies requests for any of AWS's regions, and for the server's own. */
class RegionalVerifier implements Verifying {
  readonly #credentials: readonly SqsCredentials[];
  readonly #ownRegion: string;
  readonly #own: Verifier;
  readonly #byRegion = new Map<string, Verifier>();

  constructor(credentials: readonly SqsCredentials[], ownRegion: string, own: Verifier) {
    this.#credentials = credentials;
    this.#ownRegion = ownRegion;
    this.#own = own;
  }

  verify(request: ServiceRequest, now: number): void {
    this.#of(request).verify(request, now);
  }

  verifyHead(head: ServiceRequest, now: number): VerifiedHead {
    return this.#of(head).verifyHead(head, now);
  }

  #of(request: ServiceRequest): Verifier {
    const region = readScope(credentialOf(request) ?? '')?.region ?? '';
    if (region === this.#ownRegion || !REGION.test(region)) return this.#own;
    const known = this.#byRegion.get(region);
    if (known) return known;
    const verifier = new Verifier({ credentials: this.#credentials, region, service: 'sqs' });
    // Any caller can name regions, so no more are kept than AWS may have.
    if (this.#byRegion.size >= MAX_REGIONS) this.#byRegion.clear();
    this.#byRegion.set(region, verifier);
    return verifier;
  }
}

const REGION = /^[a-z]{2,3}(?:-[a-z]{2,10}){1,3}-\d$/;

const MAX_REGIONS = 100;

/** `keyid/date/region/service/aws4_request`, from the header or from a presigned URL. */
function credentialOf({ headers, query }: ServiceRequest): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) {
    return query.size > 0 ? (query.get('X-Amz-Credential') ?? undefined) : undefined;
  }
  const start = authorization.indexOf(CREDENTIAL);
  if (start < 0) return undefined;
  const end = authorization.indexOf(',', start);
  return authorization.slice(start + CREDENTIAL.length, end < 0 ? undefined : end);
}

const CREDENTIAL = 'Credential=';

function readScope(credential: string): Scope | undefined {
  const [keyId = '', , region = ''] = credential.split('/');
  return /^[\w-]{1,64}$/.test(region) ? { keyId, region } : undefined;
}
