import { describe, expect, it } from 'vitest';
import { Authority, grantsOf, type Principal, readStatements, withoutGrant } from './index.ts';
import { matches } from './wildcard.ts';

const TASKS = 'arn:aws:sqs:eu-central-1:123456789012:a-tasks';
const ACCOUNT = '123456789012';

const statements = (...list: object[]) =>
  readStatements({ Version: '2012-10-17', Statement: list }, 'the policy');

const allow = (Action: unknown, Resource: unknown, more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
});

function principal(...list: object[]): Principal {
  const arn = `arn:aws:iam::${ACCOUNT}:role/A`;
  return { arn, label: 'a', accountId: ACCOUNT, statements: statements(...list) };
}

/** The reason for a refused call; undefined if it is allowed. */
function refusal(
  policies: object[],
  action: string,
  resource: string,
  { ofResource = [], ...circumstances }: { ofResource?: object[]; [key: string]: unknown } = {},
): string | undefined {
  const texts = circumstances as Record<string, string>;
  const who = principal(...policies);
  const asked = { action, resource };
  return new Authority().check(who, asked, texts, statements(...ofResource))?.reason;
}

it.each([
  ['*', 'anything at all', true],
  ['arn:aws:sqs:*:*:a-run-*', 'arn:aws:sqs:eu-central-1:1:a-run-20261125T1', true],
  ['arn:aws:sqs:*:*:a-run-*', 'arn:aws:sqs:eu-central-1:1:a-tasks', false],
  ['a-run-*', 'b-a-run-1', false],
  ['a-run-????????T?????????-*', 'a-run-20261125T101112131-k3f9x2ab', true],
  ['a-run-????????T?????????-*', 'a-run-run-20261125T101112131-k3f9x2ab', false],
  ['a-run-????????T?????????-*', 'a-run-tasks', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a.c', 'abc', false],
  ['a(b)[c]+', 'a(b)[c]+', true],
])('%s and %s: %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected);
});

describe('a call', () => {
  it('is allowed by an action and its resource in one statement', () => {
    const policies = [allow(['sqs:SendMessage', 'sqs:GetQueue*'], [TASKS, 'arn:aws:sqs:::b'])];
    expect(refusal(policies, 'sqs:SendMessage', TASKS)).toBeUndefined();
    expect(refusal(policies, 'sqs:sendmessage', TASKS)).toBeUndefined();
    expect(refusal(policies, 'sqs:GetQueueUrl', 'arn:aws:sqs:::b')).toBeUndefined();
    expect(refusal(policies, 'sqs:DeleteQueue', TASKS)).toBe(
      'because no identity-based policy allows the sqs:DeleteQueue action',
    );
    expect(refusal(policies, 'sqs:SendMessage', 'arn:aws:sqs:::c')).toBeDefined();
  });

  it('is not allowed by an action and a resource of two statements', () => {
    const policies = [allow('sqs:SendMessage', 'x'), allow('sqs:GetQueueUrl', TASKS)];
    expect(refusal(policies, 'sqs:SendMessage', TASKS)).toBeDefined();
  });

  it('on no resource is allowed on all of them alone', () => {
    expect(refusal([allow('sqs:ListQueues', '*')], 'sqs:ListQueues', '*')).toBeUndefined();
    expect(
      refusal([allow('sqs:ListQueues', 'arn:aws:sqs:*')], 'sqs:ListQueues', '*'),
    ).toBeDefined();
  });

  it('is refused by a Deny, whatever allows it', () => {
    const deny = { ...allow('sqs:*', '*'), Effect: 'Deny' };
    const both = [allow('sqs:*', '*'), deny];
    expect(refusal(both, 'sqs:SendMessage', TASKS)).toBe(
      'with an explicit deny in an identity-based policy',
    );
    const ofResource = [{ ...deny, Principal: '*' }];
    expect(refusal([allow('*', '*')], 'sqs:SendMessage', TASKS, { ofResource })).toBe(
      'with an explicit deny in a resource-based policy',
    );
  });

  it('is decided by conditions', () => {
    const Condition = { Bool: { 'aws:SecureTransport': 'false' } };
    const ofResource = [
      { ...allow('sqs:*', TASKS, { Condition, Principal: { AWS: '*' } }), Effect: 'Deny' },
    ];
    const policies = [allow('sqs:*', '*')];
    const by = (secure: string) =>
      refusal(policies, 'sqs:SendMessage', TASKS, { ofResource, 'aws:SecureTransport': secure });
    expect(by('false')).toBeDefined();
    expect(by('true')).toBeUndefined();
  });

  it('is allowed by the policy of its resource, to who is named there', () => {
    const named = (AWS: string) => [allow('sqs:*', TASKS, { Principal: { AWS } })];
    const by = (AWS: string) => refusal([], 'sqs:SendMessage', TASKS, { ofResource: named(AWS) });
    expect(by(`arn:aws:iam::${ACCOUNT}:role/A`)).toBeUndefined();
    expect(by(`arn:aws:iam::${ACCOUNT}:role/B`)).toBeDefined();
    expect(by(`arn:aws:iam::${ACCOUNT}:root`)).toBeDefined();
  });

  it('on a key needs the key’s own policy, for the account at least', () => {
    const policies = [allow('kms:Decrypt', '*')];
    const root = { AWS: `arn:aws:iam::${ACCOUNT}:root` };
    const ofResource = [allow('kms:*', '*', { Principal: root })];
    expect(refusal(policies, 'kms:Decrypt', 'key', { ofResource })).toBeUndefined();
    expect(refusal(policies, 'kms:Decrypt', 'key')).toBe(
      'because no resource-based policy allows the kms:Decrypt action',
    );
    expect(refusal([], 'kms:Decrypt', 'key', { ofResource })).toBeDefined();
  });
});

describe('the account of grants', () => {
  it('tells what nothing has used, and what would be missed', () => {
    const who = principal(allow(['sqs:SendMessage', 'sqs:GetQueueUrl'], [TASKS, 'b']));
    const authority = new Authority();
    authority.add(who);
    authority.check(who, { action: 'sqs:SendMessage', resource: TASKS }, {}, []);
    authority.check(who, { action: 'sqs:GetQueueUrl', resource: 'b' }, {}, []);
    expect(authority.unused()).toEqual([
      `a: sqs:GetQueueUrl on ${TASKS}`,
      'a: sqs:SendMessage on b',
    ]);
    const missed = grantsOf(who.statements).map((grant) => [
      grant.join(' on '),
      authority.refusedBy(who, withoutGrant(who.statements, grant)),
    ]);
    expect(Object.fromEntries(missed)).toEqual({
      [`sqs:SendMessage on ${TASKS}`]: [{ action: 'sqs:SendMessage', resource: TASKS }],
      'sqs:SendMessage on b': [],
      [`sqs:GetQueueUrl on ${TASKS}`]: [],
      'sqs:GetQueueUrl on b': [{ action: 'sqs:GetQueueUrl', resource: 'b' }],
    });
    expect(authority.denials).toEqual([]);
  });
});

it.each([
  [allow('sqs:*', []), 'the policy[0].Resource is to be one text or more'],
  [allow('sqs:*', { Ref: 'Queue' }), 'the policy[0].Resource is to be one text or more'],
  [{ ...allow('sqs:*', '*'), Effect: 'allow' }, 'Effect is Allow or Deny; allow came.'],
  [{ Effect: 'Allow', NotAction: 'sqs:*', Resource: '*' }, 'NotAction is not known here.'],
  [
    allow('sqs:*', '*', { Condition: { DateLessThan: { 'aws:CurrentTime': '' } } }),
    'the condition operator DateLessThan is not known here.',
  ],
  [
    allow('sqs:*', '*', { Condition: { Bool: { 'aws:ViaAWSService': 'true' } } }),
    'the condition key aws:ViaAWSService is not known here.',
  ],
])('%j is refused where it is read', (statement, sentence) => {
  expect(() => statements(statement)).toThrow(sentence);
});
