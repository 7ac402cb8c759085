import { invalidValue, SqsError } from '../errors.ts';
import { MAX_PERMISSIONS, PERMISSION_LABEL, SHARED_ACTIONS } from '../limits.ts';

/** What AddPermission grants. It is stored and told again; nobody is refused by it. */
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

/** A policy with one statement more, in the form that SQS gives it. */
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
  const { Statement: statements, ...rest } = readPolicy(policy, queueArn);
  if (statements.some(({ Sid }) => Sid === label)) {
    throw invalidValue('Label', label, 'Already exists.');
  }
  if (statements.length >= MAX_PERMISSIONS) {
    throw new SqsError(
      'OverLimit',
      `${statements.length + 1} statements were found, maximum allowed is ${MAX_PERMISSIONS}`,
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

/** A policy without a label's statement; empty when that was the last. */
export function removePermissionFrom(policy: string | undefined, label: string): string {
  const { Statement: statements, ...rest } = readPolicy(policy, '');
  const left = statements.filter(({ Sid }) => Sid !== label);
  if (left.length === statements.length) {
    throw invalidValue('Label', label, "can't find label on existing policy.");
  }
  return left.length === 0 ? '' : JSON.stringify({ ...rest, Statement: left });
}

function readPolicy(policy: string | undefined, queueArn: string): Policy {
  if (policy === undefined) {
    return { Version: '2008-10-17', Id: `${queueArn}/SQSDefaultPolicy`, Statement: [] };
  }
  const { Statement: statements, ...rest } = JSON.parse(policy) as Partial<Record<string, unknown>>;
  const list = Array.isArray(statements) ? statements : statements ? [statements] : [];
  return { ...rest, Statement: list as Statement[] };
}

function oneOrMore(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] ?? '') : values;
}
