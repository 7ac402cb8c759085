import type { Call, Output } from '../call.ts';
import { parsed } from '../engine/json-value.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidParameter, invalidValue } from '../errors.ts';
import type { Input } from '../input.ts';
import { LIST_RESULTS } from '../limits.ts';

export function listQueues({ input, queues, urlOf }: Call): Output {
  const prefix = input.text('QueueNamePrefix') ?? '';
  const { queues: some, next } = page(input, queues.withPrefix(prefix), prefix);
  return { ...(some.length > 0 ? { QueueUrls: some.map(urlOf) } : {}), ...next };
}

/**
 * The page of queues that a request asks for, by name. Its token contains the list that it belongs
 * to, and the last name of the page.
 */
export function page(
  input: Input,
  queues: readonly Queue[],
  listOf: string,
): { queues: readonly Queue[]; next: { NextToken?: string } } {
  const asked = input.integer('MaxResults');
  const { min, max } = LIST_RESULTS;
  if (asked !== undefined && (asked < min || asked > max)) {
    throw invalidValue('MaxResults', asked, `Must be between ${min} and ${max}, if provided.`);
  }
  const token = input.text('NextToken');
  const after = token ? readToken(token, listOf) : '';
  const rest = queues.filter(({ name }) => name > after);
  const some = rest.slice(0, asked ?? max);
  // AWS gives a token only to callers that asked for pages.
  if (asked === undefined || rest.length === some.length) return { queues: some, next: {} };
  const last = some.at(-1)?.name ?? '';
  return { queues: some, next: { NextToken: tokenOf(listOf, last) } };
}

function tokenOf(listOf: string, last: string): string {
  return Buffer.from(JSON.stringify([listOf, last])).toString('base64url');
}

function readToken(token: string, listOf: string): string {
  const read = parsed(Buffer.from(token, 'base64url').toString());
  const last = Array.isArray(read) ? read[1] : undefined;
  if (typeof last === 'string' && tokenOf(listOf, last) === token) return last;
  throw invalidParameter('Invalid or expired next token.');
}
