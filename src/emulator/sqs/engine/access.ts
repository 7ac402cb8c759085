import { SHARED_ACTIONS } from '../limits.ts';
import { isObject, parsed } from './json-value.ts';
import { statementsOf } from './policy.ts';
import type { Queue } from './queue.ts';

type Statement = Readonly<Record<string, unknown>>;

/**
 * Whether a queue's policy allows another account an action. Some actions are always the owner's
 * alone. Statements with conditions neither allow nor deny, since what they test is not known here.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-customer-managed-policy-examples.html
 */
export function allowsAccess(queue: Queue, accountId: string, action: string): boolean {
  // A batch needs the permission for its single action.
  const name = action.replace(/Batch$/, '');
  const policy = parsed(queue.attributes.get('Policy') ?? '');
  if (!SHARED_ACTIONS.has(name) || !isObject(policy)) return false;
  const effects = statementsOf(policy)
    .filter(isObject)
    .filter((statement) => isAbout(statement, queue.arn, accountId, name))
    .map(({ Effect }) => Effect);
  return effects.includes('Allow') && !effects.includes('Deny');
}

function isAbout(statement: Statement, arn: string, accountId: string, action: string): boolean {
  const { Principal, Action, Resource, Condition } = statement;
  if (Condition !== undefined) return false;
  const principals = isObject(Principal) ? Principal.AWS : Principal;
  return (
    textsOf(principals).some((principal) => isAccount(principal, accountId)) &&
    textsOf(Action).some((known) => matches(known.toLowerCase(), `sqs:${action}`.toLowerCase())) &&
    textsOf(Resource).some((known) => matches(known, arn))
  );
}

/** Users and roles are not distinguished: a key of an account has all rights of the account. */
function isAccount(principal: string, accountId: string): boolean {
  if (principal === '*' || principal === accountId) return true;
  return principal.split(':')[4] === accountId;
}

function textsOf(value: unknown): string[] {
  const values = Array.isArray(value) ? value : [value];
  return values.filter((one) => typeof one === 'string');
}

/** Whether a text matches a pattern, in which `*` is any text and `?` any character. */
function matches(pattern: string, text: string): boolean {
  // The places in the text at which the pattern so far can end: no pattern takes long.
  let ends = new Set([0]);
  for (const character of pattern) {
    const next = new Set<number>();
    for (const end of ends) {
      if (character === '*') for (let at = end; at <= text.length; at++) next.add(at);
      else if (end < text.length && (character === '?' || text[end] === character))
        next.add(end + 1);
    }
    ends = next;
  }
  return ends.has(text.length);
}
