import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { STSClient } from '@aws-sdk/client-sts';
import { explaining } from '../aws-errors.ts';
import { trackClock } from '../clock.ts';
import { Signer } from '../emulator/auth/index.ts';
import { copiedFast, OWN_SETTINGS } from '../emulator/transport/index.ts';
import { UnmeteredRetries } from '../unmetered-retries.ts';
import type { Connection, Endpoint } from './connection.ts';
import { PinnedAgent } from './pinned.ts';
import { PLAIN_SQS } from './plain-sdk.ts';
import { namingAttempts } from './receive-attempts.ts';
import { outlastResets } from './resets.ts';

export interface ClientOptions {
  /** How long an answer may take, a receive's wait of 20 s included, in milliseconds. @default 40,000 */
  timeoutMs?: number;
  /** @default 3 */
  maxAttempts?: number;
  /** What it says of itself in each request. */
  userAgentAppId?: string | undefined;
}

/** Tries at one call, if it is not said otherwise. */
const TRIES = 3;

/** A long poll takes 20 s. */
const TIMEOUT_MS = 40_000;

/** A page of inputs may be long on its way. */
const INVOKE_TIMEOUT_MS = 120_000;

const CONNECT_TIMEOUT_MS = 5_000;

const MAX_SOCKETS = 50;

/** A collector's polls, and the deletions of what they return, at once: the SDK's default is 50. */
const SOCKETS = { maxSockets: 100 };

/** A client for the SQS of a server, or of AWS. */
export function sqsAt(place: Endpoint, options: ClientOptions = {}): SQSClient {
  if (!('stack' in place)) return sqsOf(place, options);
  const { timeoutMs = TIMEOUT_MS, ...more } = options;
  const client = new SQSClient({
    ...more,
    requestHandler: { ...limitsOf(timeoutMs), httpAgent: SOCKETS, httpsAgent: SOCKETS },
    // A QueueUrl must not choose the host that requests, and credentials, are sent to.
    useQueueUrlAsEndpoint: false,
  });
  return reaching(explaining(client, place.stack), place);
}

/** A client for the Lambda of a server, or of AWS. */
export function lambdaAt(place: Endpoint, options: ClientOptions = {}): LambdaClient {
  const { timeoutMs = INVOKE_TIMEOUT_MS, ...more } = options;
  if (!('stack' in place)) {
    return reaching(new LambdaClient({ ...placeOf(place, timeoutMs), ...given(more) }), place);
  }
  const client = new LambdaClient({ ...more, requestHandler: limitsOf(timeoutMs) });
  return reaching(explaining(client, place.stack), place);
}

/** A client for AWS's STS, which says whose credentials they are. */
export function stsAt({ stack }: { stack: string }, options: ClientOptions = {}): STSClient {
  const { timeoutMs = TIMEOUT_MS, ...more } = options;
  return explaining(new STSClient({ ...more, requestHandler: limitsOf(timeoutMs) }), stack);
}

/** A client for an SQS of the same Fanfold: they speak CBOR, and digests would tell nothing new. */
export function sqsOf(connection: Connection, options: ClientOptions = {}): SQSClient {
  const { timeoutMs = TIMEOUT_MS, ...more } = options;
  const { credentials: _, signer: __, ...plain } = PLAIN_SQS;
  const client = new SQSClient({
    ...plain,
    ...signerOf(connection),
    ...placeOf(connection, timeoutMs),
    retryStrategy: new UnmeteredRetries(more.maxAttempts ?? TRIES),
    ...given(more),
  });
  // What a server does not read need not be written, signed and checked with each request.
  if (more.userAgentAppId === undefined) client.middlewareStack.remove('getUserAgentMiddleware');
  reaching(client, connection);
  return copiedFast(connection.credentials === 'none' ? client : namingAttempts(client));
}

/** Options without those that are undefined, which the SDK would look for in the environment. */
function given(options: Omit<ClientOptions, 'timeoutMs'>) {
  const { maxAttempts, userAgentAppId } = options;
  return {
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    ...(userAgentAppId === undefined ? {} : { userAgentAppId }),
  };
}

/** What each client of a place is to outlast: a clock that is off, connections that break. */
function reaching<C extends SQSClient | LambdaClient>(client: C, place: Endpoint): C {
  return outlastResets(trackClock(client, place));
}

/** The SDK's own signer is for keys that it finds by itself, which may change. */
function signerOf({ credentials, region }: Connection) {
  if (credentials === undefined) return {};
  if (credentials === 'none') return { signer: PLAIN_SQS.signer };
  return { signer: new Signer({ credentials, region, service: 'sqs' }) };
}

/** The SDK has no limits of its own: a connection that was cut would be waited for without end. */
function limitsOf(timeoutMs: number) {
  return {
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: timeoutMs,
    throwOnRequestTimeout: true,
  };
}

function placeOf(connection: Connection, timeoutMs: number) {
  const { endpoint, region, credentials, fingerprint } = connection;
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    ...OWN_SETTINGS,
    endpoint,
    region,
    ...(credentials === undefined
      ? {}
      : { credentials: credentials === 'none' ? PLAIN_SQS.credentials : credentials }),
    requestHandler: {
      ...limitsOf(timeoutMs),
      ...(fingerprint === undefined ? {} : { httpsAgent: new PinnedAgent(fingerprint, agent) }),
    },
  };
}
