import type { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
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
  /** Time limit for a response, including a long poll's 20 s, in milliseconds. @default 40,000 */
  timeoutMs?: number;
  /** Attempts at one call, the first included. @default 3 */
  maxAttempts?: number;
}

export interface SqsClientOptions extends ClientOptions {
  /** Names the attempts to receive from a server. @default random ids, if requests are signed */
  receiveAttempt?: (queueUrl: string) => string;
}

/** Default number of attempts at one call. */
const TRIES = 3;

/** Twice the 20 s of a long poll. */
const TIMEOUT_MS = 40_000;

/** Longer than for SQS: a page of inputs may take long to send. */
const INVOKE_TIMEOUT_MS = 120_000;

const CONNECT_TIMEOUT_MS = 8_000;

const MAX_SOCKETS = 50;

/** Room for a collector's simultaneous polls and deletions: the SDK's default is 50. */
const SOCKETS = { maxSockets: 100 };

/** A client for the SQS of a server, or of AWS. */
export function sqsAt(place: Endpoint, options: SqsClientOptions = {}): SQSClient {
  if (!('stack' in place)) return sqsOf(place, options);
  const { timeoutMs = TIMEOUT_MS } = options;
  const client = new SQSClient({
    ...given(options),
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

/** A client for AWS STS, which identifies the owner of the credentials. */
export function stsAt({ stack }: { stack: string }, options: ClientOptions = {}): STSClient {
  const { timeoutMs = TIMEOUT_MS, ...more } = options;
  return explaining(new STSClient({ ...more, requestHandler: limitsOf(timeoutMs) }), stack);
}

/** A client for S3. It is loaded when it is needed: few commands need it. */
export async function s3At(
  { stack }: { stack: string },
  options: ClientOptions = {},
): Promise<S3Client> {
  const { timeoutMs = TIMEOUT_MS, ...more } = options;
  const { S3Client } = await import('@aws-sdk/client-s3');
  // A body that stops arriving must not hang; a large one may take longer than a call.
  const requestHandler = { ...limitsOf(timeoutMs), socketTimeout: timeoutMs };
  return explaining(new S3Client({ ...more, requestHandler }), stack);
}

/** Longest time to send or receive the largest object, in milliseconds: on a slow line. */
const OBJECT_TIMEOUT_MS = 300_000;

/** A client for the objects of a server's or a stack's deployment. It is loaded when it is needed. */
export async function objectsAt(place: Endpoint): Promise<S3Client> {
  if ('stack' in place) return s3At(place, { timeoutMs: OBJECT_TIMEOUT_MS });
  const [{ S3Client }, { OWN_S3_SETTINGS }] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('../emulator/s3/client.ts'),
  ]);
  const client = new S3Client({
    ...placeOf(place, OBJECT_TIMEOUT_MS),
    ...OWN_S3_SETTINGS,
    ...(place.credentials === 'none' ? { signer: PLAIN_SQS.signer } : {}),
  });
  return reaching(client, place);
}

/** A client for CloudWatch Logs. It is loaded when it is needed: only one command needs it. */
export async function logsAt({ stack }: { stack: string }): Promise<CloudWatchLogsClient> {
  const { CloudWatchLogsClient } = await import('@aws-sdk/client-cloudwatch-logs');
  const client = new CloudWatchLogsClient({ requestHandler: limitsOf(TIMEOUT_MS) });
  return explaining(client, stack);
}

/** A client for EventBridge. It is loaded when it is needed: only one command needs it. */
export async function eventsAt({ stack }: { stack: string }): Promise<EventBridgeClient> {
  const { EventBridgeClient } = await import('@aws-sdk/client-eventbridge');
  return explaining(new EventBridgeClient({ requestHandler: limitsOf(TIMEOUT_MS) }), stack);
}

/** A client for an SQS of the same Fanfold, with CBOR and without message digests. */
export function sqsOf(connection: Connection, options: SqsClientOptions = {}): SQSClient {
  const { timeoutMs = TIMEOUT_MS, maxAttempts = TRIES, receiveAttempt } = options;
  const { credentials: _, signer: __, ...plain } = PLAIN_SQS;
  const client = new SQSClient({
    ...plain,
    ...signerOf(connection),
    ...placeOf(connection, timeoutMs),
    retryStrategy: new UnmeteredRetries(maxAttempts),
    ...given(options),
  });
  // A server doesn't read this header: don't write, sign and verify it with each request.
  client.middlewareStack.remove('getUserAgentMiddleware');
  reaching(client, connection);
  const namesAttempts = connection.credentials !== 'none' || receiveAttempt !== undefined;
  return copiedFast(namesAttempts ? namingAttempts(client, receiveAttempt) : client);
}

/** Drops an undefined option: the SDK would look it up in the environment. */
function given({ maxAttempts }: ClientOptions) {
  return maxAttempts === undefined ? {} : { maxAttempts };
}

/** Makes a client tolerate a wrong local clock and broken connections. */
function reaching<C extends SQSClient | LambdaClient | S3Client>(client: C, place: Endpoint): C {
  return outlastResets(trackClock(client, place));
}

/** The SDK's own signer is only needed for credentials that it finds itself, which may change. */
function signerOf({ credentials, region }: Connection) {
  if (credentials === undefined) return {};
  if (credentials === 'none') return { signer: PLAIN_SQS.signer };
  return { signer: new Signer({ credentials, region, service: 'sqs' }) };
}

/** Time limits. The SDK has none by default: it would wait on a dead connection forever. */
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
