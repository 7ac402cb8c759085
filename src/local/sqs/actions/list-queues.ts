import type { Call, Output } from '../call.ts';
import type { Queue } from '../engine/queue.ts';
import { invalidValue } from '../errors.ts';
import type { Input } from '../input.ts';
import { LIST_RESULTS } from '../limits.ts';

export function listQueues({ input, queues, urlOf }: Call): Output {
  const found = queues.withPrefix(input.text('QueueNamePrefix') ?? '');
  const { queues: some, next } = page(input, found);
  return { ...(some.length > 0 ? { QueueUrls: some.map(urlOf) } : {}), ...next };
}

/** The page of queues that a request asks for, by name. Its token is the name that it ended with. */
export function page(
  input: Input,
  queues: readonly Queue[],
): { queues: readonly Queue[]; next: { NextToken?: string } } {
  const asked = input.integer('MaxResults');
  const { min, max } = LIST_RESULTS;
  if (asked !== undefined && (asked < min || asked > max)) {
    throw invalidValue('MaxResults', asked, `Must be between ${min} and ${max}, if provided.`);
  }
  const token = input.text('NextToken');
  const after = token === undefined ? undefined : Buffer.from(token, 'base64url').toString();
  const rest = after === undefined ? queues : queues.filter(({ name }) => name > after);
  const some = rest.slice(0, asked ?? max);
  // AWS gives a token only to callers that asked for pages.
  if (asked === undefined || rest.length === some.length) return { queues: some, next: {} };
  const last = some.at(-1)?.name ?? '';
  return { queues: some, next: { NextToken: Buffer.from(last).toString('base64url') } };
}
