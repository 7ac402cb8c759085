import type { ServiceRequest, ServiceResponse } from '../../src/emulator/transport/index.ts';

/** A text of 1 KiB, different for each place. */
export function bodyOf1KiB(place: number): string {
  return `${place} `.padEnd(1_024, 'the quick brown fox jumps over the lazy dog ');
}

const NEVER = new AbortController().signal;

/** A request of the JSON protocol, as a transport passes it to the service. */
export function serviceRequest(action: string, parameters: object): ServiceRequest {
  return {
    method: 'POST',
    path: '/',
    query: new URLSearchParams(),
    headers: {
      host: 'localhost',
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AmazonSQS.${action}`,
    },
    body: Buffer.from(JSON.stringify(parameters)),
    signal: NEVER,
  };
}

/** Parses a response's output. Throws unless the status is 200. */
export function outputOf({ status, body }: ServiceResponse) {
  if (status !== 200) throw new Error(`Expected status 200, got ${status}: ${body}`);
  return JSON.parse(String(body) || '{}');
}
