import { once } from 'node:events';
import { connect } from 'node:tls';
import { QueueDoesNotExist } from '@aws-sdk/client-sqs';
import { FanfoldError, messageOf, nameOf } from '../errors.ts';
import { isTransient } from '../pipeline/call-errors.ts';
import type { Names } from '../pipeline/names.ts';
import { findQueue } from '../pipeline/run/queues.ts';
import { sqsOf } from './clients.ts';
import type { Connection } from './connection.ts';
import { WrongCertificate } from './pinned.ts';

/** URLs of the deployment's queues on a server. */
export interface Reached {
  taskQueueUrl: string;
  deadQueueUrl: string;
}

const TIMEOUT_MS = 10_000;

/**
 * Checks that a server answers, accepts the secret and has the deployment, before it is used.
 *
 * @throws FanfoldError `RunFailed` or `BadOption` that says what is wrong
 */
export async function reach(connection: Connection, names: Names): Promise<Reached> {
  const sqs = sqsOf(connection, { timeoutMs: TIMEOUT_MS, maxAttempts: 2 });
  try {
    const [taskQueueUrl, deadQueueUrl] = await Promise.all([
      findQueue(sqs, names.tasks),
      findQueue(sqs, names.dead),
    ]);
    if (taskQueueUrl !== undefined && deadQueueUrl !== undefined) {
      return { taskQueueUrl, deadQueueUrl };
    }
  } catch (error) {
    throw await explained(error, connection);
  } finally {
    sqs.destroy();
  }
  throw new FanfoldError(
    'RunFailed',
    `The SQS server at ${connection.endpoint} has no queue ${names.tasks}: start it with \`fanfold serve\`, which creates the queue.`,
  );
}

/** Whether the secret or the certificate is wrong, so that a retry can't help. */
export function isRefusal(error: unknown): boolean {
  if (certificateOf(error) !== undefined) return true;
  const name = nameOf(error);
  return !isTransient(error) && (ANSWERED.has(name) || name === 'CredentialsProviderError');
}

/** Error codes that a server returns for bad credentials. */
const ANSWERED = new Set([
  'InvalidClientTokenId',
  'SignatureDoesNotMatch',
  'AccessDenied',
  'AccessDeniedException',
  'IncompleteSignature',
]);

/** Turns a call's error into one that says what is wrong with the server. */
export async function explained(error: unknown, connection: Connection): Promise<FanfoldError> {
  const { code, message } = await sentence(error, connection);
  return new FanfoldError(code, message, { cause: error });
}

async function sentence(
  error: unknown,
  { endpoint, region, fingerprint }: Connection,
): Promise<{ code: 'RunFailed' | 'BadOption'; message: string }> {
  const stopped = (message: string) => ({ code: 'RunFailed', message }) as const;
  const wrong = (message: string) => ({ code: 'BadOption', message }) as const;
  const certificate = certificateOf(error);
  if (certificate !== undefined) {
    return stopped(
      `The server at ${endpoint} is not the expected one: its certificate has the fingerprint ${certificate.shown}, expected ${fingerprint}. Nothing was sent to it. If it has a new certificate, copy the line that it prints again.`,
    );
  }
  if (/Credential should be scoped to a valid region/.test(messageOf(error))) {
    return stopped(
      `The server at ${endpoint} has a region other than ${region}: set AWS_REGION to the server's region.`,
    );
  }
  const name = nameOf(error);
  if (ANSWERED.has(name)) {
    return stopped(`The server at ${endpoint} rejects the secret (${name}): ${REMEDY}.`);
  }
  if (error instanceof QueueDoesNotExist) return stopped(messageOf(error));
  const found = await probeAddress(endpoint);
  if (found.kind === 'nobody') {
    return stopped(
      `No server responds at ${endpoint} (${found.reason}): check that \`fanfold serve\` runs there and that this machine can reach it.`,
    );
  }
  if (found.kind === 'plain' && endpoint.startsWith('https:')) {
    return wrong(`The server at ${endpoint} does not use TLS: use http:// instead of https://.`);
  }
  if (found.kind === 'tls' && endpoint.startsWith('http:')) {
    return wrong(`The server at ${endpoint} uses TLS: use https:// instead of http://.`);
  }
  if (name === 'CredentialsProviderError') {
    return stopped(`No secret is known for the server at ${endpoint}: ${REMEDY}.`);
  }
  if (isUnknownAuthority(error)) {
    return stopped(
      `This machine does not trust the certificate of the server at ${endpoint} (${messageOf(error)}): set FANFOLD_JOIN to the line that the server prints when it starts, which contains its fingerprint, or NODE_EXTRA_CA_CERTS to the certificate of its authority.`,
    );
  }
  if (isTransient(error)) return stopped(`The server at ${endpoint} fails: ${reasonOf(error)}.`);
  return stopped(`The server at ${endpoint} is not \`fanfold serve\`: ${messageOf(error)}`);
}

const REMEDY =
  'set FANFOLD_JOIN to the line that the server prints when it starts, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to its key pair';

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException | undefined)?.code ?? '');
}

/** Code such as `ECONNREFUSED`, since an error with several causes has an empty message. */
function reasonOf(error: unknown): string {
  return codeOf(error) || messageOf(error);
}

function certificateOf(error: unknown): WrongCertificate | undefined {
  if (error instanceof WrongCertificate) return error;
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof WrongCertificate ? cause : undefined;
}

function isUnknownAuthority(error: unknown): boolean {
  return /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_|ERR_TLS_CERT)/.test(codeOf(error));
}

const PROBE_MS = 3_000;

type Found = { kind: 'tls' | 'plain' } | { kind: 'nobody'; reason: string };

/** Connects to an address and starts a TLS handshake, to find out what answers there. */
async function probeAddress(endpoint: string): Promise<Found> {
  const { hostname, port, protocol } = new URL(endpoint);
  const socket = connect({
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
    rejectUnauthorized: false,
  });
  let connected = false;
  socket.once('connect', () => {
    connected = true;
  });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(PROBE_MS) });
    return { kind: 'tls' };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'AbortError';
    return connected
      ? { kind: 'plain' }
      : { kind: 'nobody', reason: isLate ? 'no response' : reasonOf(error) };
  } finally {
    socket.on('error', () => {}).destroy();
  }
}
