import type { Call, Output } from '../call.ts';
import { invalidValue } from '../errors.ts';
import { LIST_RESULTS } from '../limits.ts';

/** By name. A page's token is the name that it ended with. */
export function listQueues({ input, queues, urlOf }: Call): Output {
  const asked = input.integer('MaxResults');
  const { min, max } = LIST_RESULTS;
  if (asked !== undefined && (asked < min || asked > max)) {
    throw invalidValue('MaxResults', asked, `Must be between ${min} and ${max}, if provided.`);
  }
  const after = input.text('NextToken');
  const last = after === undefined ? undefined : Buffer.from(after, 'base64url').toString();
  const all = queues
    .withPrefix(input.text('QueueNamePrefix') ?? '')
    .filter(({ name }) => last === undefined || name > last);
  const page = all.slice(0, asked ?? max);
  // AWS gives a token only to callers that asked for pages.
  const more = asked !== undefined && all.length > page.length;
  return {
    ...(page.length > 0 ? { QueueUrls: page.map(urlOf) } : {}),
    ...(more ? { NextToken: Buffer.from(page.at(-1)?.name ?? '').toString('base64url') } : {}),
  };
}
