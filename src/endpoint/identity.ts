import type { SQSClient } from '@aws-sdk/client-sqs';
import { stackIdentity } from '../nested.ts';
import type { Connection, Endpoint } from './connection.ts';
import { isHere } from './resolve-endpoint.ts';
import { isMade } from './secret.ts';

/** Identifies a server or a stack, for the check of nested runs. */
export async function identityOf(
  place: Endpoint,
  sqs: SQSClient,
  taskQueueUrl: string,
): Promise<string> {
  return 'stack' in place ? await stackIdentity(sqs, taskQueueUrl) : serverIdentity(place);
}

/**
 * Identifies a server, whichever of its addresses is used. A server's own certificate or its
 * generated key pair identifies it, together with the port: another server may have used the same
 * folder on another port. A key pair that the user provided may be shared by several servers.
 */
export function serverIdentity({ endpoint, credentials, fingerprint }: Connection): string {
  const { hostname, port, protocol } = new URL(endpoint);
  const key =
    credentials === 'none'
      ? undefined
      : (credentials?.accessKeyId ?? process.env.AWS_ACCESS_KEY_ID);
  const own = fingerprint ?? (key && isMade(key) ? key : undefined);
  const host = hostname.replace(/^\[|\]$/g, '');
  const where = own ?? `${key}@${isHere(host) ? 'here' : host}`;
  return `server/${where}:${port || protocol}`;
}
