import { TemplateError } from '../template.ts';
import { matches } from './wildcard.ts';

/** The context of a request besides its action and resource, by IAM's names. */
export type Circumstances = Readonly<Record<string, string | undefined>>;

/** `{ Bool: { 'aws:SecureTransport': 'false' } }`: all of them must hold. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

type Compare = (wanted: string, found: string) => boolean;

const equal: Compare = (wanted, found) => wanted === found;
const like: Compare = (wanted, found) => matches(wanted, found);
const not =
  (compare: Compare): Compare =>
  (wanted, found) =>
    !compare(wanted, found);

const OPERATORS: Readonly<Record<string, Compare>> = {
  ArnEquals: like,
  ArnLike: like,
  Bool: (wanted, found) => wanted.toLowerCase() === found.toLowerCase(),
  StringEquals: equal,
  StringLike: like,
  StringNotEquals: not(equal),
  StringNotLike: not(like),
};

/**
 * The keys that a request here can have. One that is not known is refused where the policy is read:
 * a condition that is passed over would be a policy that says something else.
 */
const KEYS = new Set([
  'aws:PrincipalAccount',
  'aws:PrincipalArn',
  'aws:SecureTransport',
  'aws:SourceAccount',
  'aws:SourceArn',
  'events:source',
  'kms:CallerAccount',
  'kms:ViaService',
  // Only list requests have it: object requests lack it.
  's3:prefix',
]);

export function checkConditions(conditions: Conditions, where: string): void {
  for (const [operator, tests] of Object.entries(conditions)) {
    if (!Object.hasOwn(OPERATORS, operator.replace(/IfExists$/, ''))) {
      throw new TemplateError(`${where}: the condition operator ${operator} is not known here.`);
    }
    const unknown = Object.keys(tests).find((key) => !KEYS.has(key));
    if (unknown === undefined) continue;
    throw new TemplateError(`${where}: the condition key ${unknown} is not known here.`);
  }
}

export function hold(conditions: Conditions, circumstances: Circumstances): boolean {
  return Object.entries(conditions).every(([operator, tests]) => {
    const name = operator.replace(/IfExists$/, '');
    const compare = OPERATORS[name];
    return Object.entries(tests).every(([key, wanted]) => {
      const found = circumstances[key];
      if (found === undefined) return operator !== name || name.includes('Not');
      const values = [wanted].flat().map(String);
      // Of a negated operator none may be met; of any other one must be.
      return name.includes('Not')
        ? values.every((value) => compare?.(value, found))
        : values.some((value) => compare?.(value, found));
    });
  });
}
