import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { explaining } from '../../aws-errors.ts';
import { Signer } from '../auth/index.ts';
import { PLAIN_SQS } from '../plain-sdk.ts';
import { copiedFast } from '../transport.ts';
import type { Connection, Place } from './connection.ts';
import { PinnedAgent } from './pinned.ts';
import { namingAttempts } from './receive-attempts.ts';
import { UnmeteredRetries } from './retries.ts';

export interface ClientOptions {
  /** How long an answer may take, a receive's wait of 20 s included, in milliseconds. @default 40,000 */
  timeoutMs?: number;
  /** @default 3 */
  maxAttempts?: number;
  /** What it says of itself in each request. */
  userAgentAppId?: string | undefined;
}

/** A connection that was cut says nothing: without a limit, an answer would be awaited for hours. */
const TIMEOUT_MS = 40_000;

/** A page of inputs may be long on its way. */
const INVOKE_TIMEOUT_MS = 120_000;

const CONNECT_TIMEOUT_MS = 5_000;

const MAX_SOCKETS = 50;

/** A client for the SQS of a server, or of AWS. */
export function sqsAt(place: Place, options: ClientOptions = {}): SQSClient {
  if (!('stack' in place)) return sqsOf(place, options);
  const { timeoutMs: requestTimeout = TIMEOUT_MS, ...more } = options;
  const requestHandler = { requestTimeout, throwOnRequestTimeout: true };
  return explaining(new SQSClient({ ...more, requestHandler }), place.stack);
}

/** A client for an SQS of the same Fanfold: they speak CBOR, and digests would tell nothing new. */
export function sqsOf(connection: Connection, options: ClientOptions = {}): SQSClient {
  const { timeoutMs = TIMEOUT_MS, ...more } = options;
  const { credentials: _, signer: __, ...plain } = PLAIN_SQS;
  const client = new SQSClient({
    ...plain,
    ...signerOf(connection),
    ...placeOf(connection, timeoutMs),
    retryStrategy: new UnmeteredRetries(more.maxAttempts),
    ...more,
  });
  // What a server does not read need not be written, signed and checked with each request.
  if (more.userAgentAppId === undefined) client.middlewareStack.remove('getUserAgentMiddleware');
  return copiedFast(connection.credentials === 'none' ? client : namingAttempts(client));
}

/** The SDK's own signer is for keys that it finds by itself, which may change. */
function signerOf({ credentials, region }: Connection) {
  if (credentials === undefined) return {};
  if (credentials === 'none') return { signer: PLAIN_SQS.signer };
  return { signer: new Signer({ credentials, region, service: 'sqs' }) };
}

export function lambdaOf(connection: Connection): LambdaClient {
  return new LambdaClient(placeOf(connection, INVOKE_TIMEOUT_MS));
}

function placeOf(connection: Connection, timeoutMs: number) {
  const { endpoint, region, credentials, fingerprint } = connection;
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  return {
    endpoint,
    region,
    ...(credentials === undefined
      ? {}
      : { credentials: credentials === 'none' ? PLAIN_SQS.credentials : credentials }),
    requestHandler: {
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      ...(fingerprint === undefined ? {} : { httpsAgent: new PinnedAgent(fingerprint, agent) }),
    },
  };
}
