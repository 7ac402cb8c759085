import type { ServiceRequest } from '../../transport.ts';
import { cbor } from './cbor.ts';
import { json } from './json.ts';
import type { Protocol } from './protocol.ts';

/** The protocol that a request speaks. */
export function protocolOf({ headers }: ServiceRequest): Protocol {
  return headers['smithy-protocol'] === 'rpc-v2-cbor' ? cbor : json;
}
