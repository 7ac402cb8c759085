import { invalidValue, SqsError } from '../errors.ts';
import {
  MAX_POLICY_BYTES,
  MAX_STATEMENT_ACTIONS,
  MAX_STATEMENTS,
  PERMISSION_LABEL,
  SHARED_ACTIONS,
} from '../limits.ts';
import { isObject, parsed } from './json-value.ts';

/** The parameters of AddPermission. */
export interface Permission {
  readonly label: string;
  readonly accountIds: readonly string[];
  readonly actions: readonly string[];
}

interface Statement {
  readonly Sid?: string;
}

interface Policy {
  readonly Version?: string;
  readonly Id?: string;
  readonly Statement: readonly Statement[];
}

/** Whether SQS accepts a text as a policy. The content of its statements is not checked. */
export function isPolicy(text: string): boolean {
  if (Buffer.byteLength(text) > MAX_POLICY_BYTES) return false;
  const policy = parsed(text);
  return isObject(policy) && statementsOf(policy).every(isObject);
}

/** A policy with one more statement, in SQS's own form. */
export function addPermissionTo(
  policy: string | undefined,
  queueArn: string,
  { label, accountIds, actions }: Permission,
): string {
  if (!PERMISSION_LABEL.test(label)) {
    const reason =
      'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length';
    throw invalidValue('Label', label, reason);
  }
  for (const account of accountIds) {
    if (/^\d{12}$/.test(account)) continue;
    throw invalidValue('PrincipalId', account, 'Unable to verify.');
  }
  for (const action of actions) {
    if (SHARED_ACTIONS.has(action)) continue;
    throw invalidValue(
      'ActionName',
      `SQS:${action}`,
      'Only the queue owner is allowed to invoke this action.',
    );
  }
  if (actions.length > MAX_STATEMENT_ACTIONS) {
    throw new SqsError(
      'OverLimit',
      `${actions.length} Actions were found, maximum allowed is ${MAX_STATEMENT_ACTIONS}.`,
    );
  }
  const { Statement: statements, ...rest } = readPolicy(policy, queueArn);
  if (statements.some(({ Sid }) => Sid === label)) {
    throw invalidValue('Label', label, 'Already exists.');
  }
  if (statements.length >= MAX_STATEMENTS) {
    throw new SqsError(
      'OverLimit',
      `${statements.length + 1} statements were found, maximum allowed is ${MAX_STATEMENTS}`,
    );
  }
  const added = {
    Sid: label,
    Effect: 'Allow',
    Principal: { AWS: oneOrMore(accountIds.map((id) => `arn:aws:iam::${id}:root`)) },
    Action: oneOrMore(actions.map((action) => `SQS:${action}`)),
    Resource: queueArn,
  };
  return JSON.stringify({ ...rest, Statement: [...statements, added] });
}

/** A policy without the statement of a label; empty if that was the last one. */
export function removePermissionFrom(policy: string | undefined, label: string): string {
  const { Statement: statements, ...rest } = readPolicy(policy, '');
  const left = statements.filter(({ Sid }) => Sid !== label);
  if (left.length === statements.length) {
    const where = policy === undefined ? '' : ' on existing policy';
    throw invalidValue('Label', label, `can't find label${where}.`);
  }
  return left.length === 0 ? '' : JSON.stringify({ ...rest, Statement: left });
}

function readPolicy(policy: string | undefined, queueArn: string): Policy {
  if (policy === undefined) {
    return { Version: '2008-10-17', Id: `${queueArn}/SQSDefaultPolicy`, Statement: [] };
  }
  const read: Readonly<Record<string, unknown>> = JSON.parse(policy);
  // They are objects: this was checked when the policy was set.
  return { ...read, Statement: statementsOf(read) as Statement[] };
}

/** A policy's statements. A single one may stand without a list around it. */
export function statementsOf({
  Statement: statements,
}: Readonly<Record<string, unknown>>): unknown[] {
  if (statements === undefined) return [];
  return Array.isArray(statements) ? statements : [statements];
}

function oneOrMore(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] ?? '') : values;
}
