import { TemplateError } from '../template.ts';
import { type Circumstances, type Conditions, checkConditions, hold } from './conditions.ts';
import { matches } from './wildcard.ts';

/** One call to a service, as IAM sees it. */
export interface Ask {
  /** Such as `sqs:SendMessage`. */
  readonly action: string;
  /** Its ARN; `*` for an action that is on no resource. */
  readonly resource: string;
}

/** The callers: patterns of ARNs, an account's root, `*`; or AWS services. */
type Principals = Readonly<Record<string, readonly string[]>>;

export interface Statement {
  readonly effect: 'Allow' | 'Deny';
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions: Conditions;
  /** Only in a resource's policy. */
  readonly principals: Principals | undefined;
}

const KEYS = ['Sid', 'Effect', 'Action', 'Resource', 'Condition', 'Principal'];

/** Reads a role's trust policy: its statements name no resource, which is the role itself. */
export function readTrust(document: unknown, where: string): Statement[] {
  const { Statement: statements, ...rest } = fields(document, where);
  const list = [statements].flat().map((one) => ({ ...fields(one, where), Resource: '*' }));
  return readStatements({ ...rest, Statement: list }, where);
}

/** Reads a policy document whose references are resolved. */
export function readStatements(document: unknown, where: string): Statement[] {
  const { Statement: statements, Version } = fields(document, where);
  if (Version !== '2012-10-17') {
    throw new TemplateError(`${where}: the policy's Version is to be 2012-10-17; ${Version} came.`);
  }
  return [statements].flat().map((statement, at) => {
    const place = `${where}[${at}]`;
    const {
      Effect,
      Action,
      Resource,
      Condition = {},
      Principal,
      ...rest
    } = fields(statement, place);
    const [unknown] = Object.keys(rest).filter((key) => !KEYS.includes(key));
    if (unknown) throw new TemplateError(`${place}: ${unknown} is not known here.`);
    if (Effect !== 'Allow' && Effect !== 'Deny') {
      throw new TemplateError(`${place}: Effect is Allow or Deny; ${Effect} came.`);
    }
    checkConditions(Condition as Conditions, place);
    return {
      effect: Effect,
      actions: texts(Action, `${place}.Action`),
      resources: texts(Resource, `${place}.Resource`),
      conditions: Condition as Conditions,
      principals: Principal === undefined ? undefined : principalsOf(Principal, place),
    };
  });
}

/** The pairs of an action and a resource in a statement that cover a call. */
export function covering(
  { actions, resources, conditions }: Statement,
  { action, resource }: Ask,
  circumstances: Circumstances,
): [action: string, resource: string][] {
  const asked = action.toLowerCase();
  const byAction = actions.filter((pattern) => matches(pattern.toLowerCase(), asked));
  const byResource = resources.filter((pattern) => matches(pattern, resource));
  if (byAction.length === 0 || byResource.length === 0) return [];
  if (!hold(conditions, circumstances)) return [];
  return byAction.flatMap((one) => byResource.map((other): [string, string] => [one, other]));
}

function principalsOf(principal: unknown, where: string): Principals {
  if (principal === '*') return { AWS: ['*'] };
  return Object.fromEntries(
    Object.entries(fields(principal, `${where}.Principal`)).map(([kind, names]) => [
      kind,
      texts(names, `${where}.Principal.${kind}`),
    ]),
  );
}

function fields(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new TemplateError(`${where} is to be an object; it is ${JSON.stringify(value)}.`);
}

function texts(value: unknown, where: string): string[] {
  const list = [value].flat();
  const odd = list.find((item) => typeof item !== 'string' || item === '' || item.includes('${'));
  if (list.length > 0 && odd === undefined) return list as string[];
  throw new TemplateError(`${where} is to be one text or more; it is ${JSON.stringify(value)}.`);
}
