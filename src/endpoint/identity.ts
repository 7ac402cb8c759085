import { stackIdentity } from '../nested.ts';
import type { Endpoint } from './connection.ts';
import { isHere } from './resolve-endpoint.ts';
import { isMade } from './secret.ts';

/**
 * A word that is the same for a place whichever of its addresses is used, and another for other
 * places. A server's certificate, or the key pair that was made for it, is its own; its folder may
 * have been another server's before, on another port. A key pair that was given may be anybody's.
 */
export function identityOf(place: Endpoint): string {
  if ('stack' in place) return stackIdentity(place.stack);
  const { endpoint, credentials, fingerprint } = place;
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
