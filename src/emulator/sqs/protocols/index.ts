import type { ServiceRequest } from '../../transport/index.ts';
import { cbor } from './cbor.ts';
import { json } from './json.ts';
import type { Protocol } from './protocol.ts';
import { query } from './query.ts';

/** The protocol of a request. */
export function protocolOf({ headers }: ServiceRequest): Protocol {
  if (headers['smithy-protocol'] === 'rpc-v2-cbor') return cbor;
  const isJson =
    headers['x-amz-target'] !== undefined ||
    headers['content-type']?.startsWith('application/x-amz-json-1.');
  return isJson ? json : query;
}
