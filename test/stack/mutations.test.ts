// @module-tag more
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FANFOLD, start } from '../cli/command.ts';
import { run, synthesize } from './assembly.ts';
import { type Deployment, deploy } from './deployment/deployment.ts';
import { readTemplate, type Template } from './deployment/template.ts';

// Proves that the checks can fail: each of these stacks has one fault, which is detected.
const folder = mkdtempSync(join(tmpdir(), 'fanfold-mutations-'));

beforeAll(async () => {
  const { status, stderr } = await synthesize(process.cwd(), folder, { maxConcurrency: 4 });
  expect(status, stderr).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Fields = Record<string, unknown>;

/** The properties of the only resource of a type that contains a text. */
function only({ Resources }: Template, type: string, part: string): Fields {
  const [found, ...others] = Object.values(Resources).filter(
    ({ Type, Properties }) => Type === type && JSON.stringify(Properties).includes(part),
  );
  if (found?.Properties === undefined || others.length > 0) {
    throw new Error(`One ${type} with ${part} was expected; ${found ? 'more' : 'none'} are there.`);
  }
  return found.Properties;
}

const functionOf = (template: Template, name: string) =>
  only(template, 'AWS::Lambda::Function', `"FunctionName":"${name}"`);

function variablesOf(template: Template, name: string): Fields {
  return (functionOf(template, name).Environment as { Variables: Fields }).Variables;
}

interface Statement {
  Action: string | string[];
  Resource: unknown;
}

/** Removes an action wherever a policy allows it on a resource whose name contains a text. */
function drop(template: Template, policy: string, action: string, resource = ''): void {
  const type = policy === 'OperatorPolicy' ? 'AWS::IAM::ManagedPolicy' : 'AWS::IAM::Policy';
  const found = Object.entries(template.Resources).find(
    ([id, { Type }]) => Type === type && id.includes(policy),
  );
  const { PolicyDocument = { Statement: [] } } = found?.[1].Properties ?? {};
  const { Statement: statements } = PolicyDocument as { Statement: Statement[] };
  let dropped = 0;
  for (const statement of statements) {
    if (!JSON.stringify(statement.Resource).includes(resource)) continue;
    const left = [statement.Action].flat().filter((one) => one !== action);
    if (left.length < [statement.Action].flat().length) dropped++;
    statement.Action = left.length > 0 ? left : ['none:None'];
  }
  expect(dropped).toBeGreaterThan(0);
}

async function deployed(mutate: (template: Template) => void): Promise<Deployment> {
  const template = readTemplate(folder, 'Fanfold');
  mutate(template);
  const operatorPolicy = 'Fanfold-operator-eu-central-1';
  return deploy({ assembly: folder, stack: 'Fanfold', template, operatorPolicy });
}

const COMMAND = ['run', 'echo', '--range', '20', '--stack', 'Fanfold'];

describe.concurrent('a run fails with a sentence', () => {
  it.each<[string, (template: Template) => void, string]>([
    [
      'for want of a variable',
      (template) => delete variablesOf(template, 'Fanfold-seed').FANFOLD_NAME,
      "A deployment's name must be 1 to 40 letters",
    ],
    [
      'for a variable that is wrong',
      (template) => Object.assign(variablesOf(template, 'Fanfold-seed'), { FANFOLD_NAME: 'Other' }),
      'not authorized to perform: sqs:GetQueueUrl on resource: arn:aws:sqs:eu-central-1:123456789012:Other-results',
    ],
    [
      'for a handler that is not there',
      (template) => Object.assign(functionOf(template, 'Fanfold-seed'), { Handler: 'index.seed' }),
      'index.seed is undefined or not exported',
    ],
    [
      'for want of a grant of the seed',
      (template) => drop(template, 'SeedRole', 'sqs:SendMessage', 'TaskQueue'),
      'not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:eu-central-1:123456789012:Fanfold-tasks',
    ],
    [
      'for want of a grant that tags a run',
      (template) => drop(template, 'SeedRole', 'sqs:TagQueue'),
      'not authorized to perform: sqs:TagQueue',
    ],
    [
      'for want of a grant of people',
      (template) => drop(template, 'OperatorPolicy', 'lambda:InvokeFunction'),
      'not authorized to perform: lambda:InvokeFunction on resource: arn:aws:lambda:eu-central-1:123456789012:function:Fanfold-seed',
    ],
    [
      'for want of a grant to collect',
      (template) => drop(template, 'OperatorPolicy', 'sqs:ReceiveMessage', '-run-'),
      'not authorized to perform: sqs:ReceiveMessage',
    ],
  ])('%s', async (_, mutate, sentence) => {
    await using stack = await deployed(mutate);
    const line = ['node', FANFOLD, ...COMMAND];
    const { status, stderr } = await run(line, { env: stack.env });
    expect(stderr).toContain(sentence);
    expect([2, 3]).toContain(status);
  });
});

describe.concurrent('what no run tells of is found out', () => {
  it.each<[string, (template: Template) => void, (stack: Deployment) => string[], string]>([
    [
      'a grant that workers lack',
      (template) => drop(template, 'WorkerRole', 'sqs:SendMessage', '-run-'),
      deniedBy,
      'Fanfold-worker+Fanfold-burst: sqs:SendMessage',
    ],
    [
      'a burst worker that the seed may not start',
      (template) => drop(template, 'SeedRole', 'lambda:InvokeFunction'),
      deniedBy,
      'Fanfold-seed: lambda:InvokeFunction',
    ],
    [
      'a log that cannot be written',
      (template) => drop(template, 'WorkerRole', 'logs:PutLogEvents'),
      deniedBy,
      'Fanfold-worker+Fanfold-burst: logs:PutLogEvents',
    ],
    [
      'a handler of a function that is started and not heard of',
      (template) => Object.assign(functionOf(template, 'Fanfold-burst'), { Handler: 'index.bust' }),
      ({ functions }) => functions.failures,
      'Fanfold-burst: Runtime.HandlerNotFound: index.bust is undefined or not exported',
    ],
    [
      'a variable of workers that is wrong',
      (template) =>
        Object.assign(variablesOf(template, 'Fanfold-worker'), {
          FANFOLD_TASK_QUEUE_URL: 'https://sqs.eu-central-1.amazonaws.com/123456789012/Other-tasks',
        }),
      deniedBy,
      'Fanfold-worker+Fanfold-burst: sqs:ChangeMessageVisibility',
    ],
    [
      'a grant that nobody needs',
      (template) => {
        const { PolicyDocument } = only(template, 'AWS::IAM::Policy', 'CreateQueue');
        const { Statement: statements } = PolicyDocument as { Statement: object[] };
        statements.push({ Effect: 'Allow', Action: 'sqs:PurgeQueue', Resource: '*' });
      },
      ({ authority }) => authority.unused(),
      'Fanfold-seed: sqs:PurgeQueue on *',
    ],
  ])('%s', async (_, mutate, told, line) => {
    await using stack = await deployed(mutate);
    const { child, ended } = start(COMMAND, { env: stack.env });
    await vi.waitFor(() => expect(told(stack)).toContainEqual(expect.stringContaining(line)), {
      timeout: 20_000,
    });
    child.kill('SIGKILL');
    await ended;
  });

  function deniedBy({ authority }: Deployment): string[] {
    return authority.denials.map(({ who, action }) => `${who}: ${action}`);
  }
});

describe('a stack is not deployed', () => {
  it.each<[string, (template: Template) => void, string]>([
    [
      'that refers to nothing',
      (template) =>
        Object.assign(functionOf(template, 'Fanfold-seed'), {
          Role: { 'Fn::GetAtt': ['Nobody', 'Arn'] },
        }),
      '.Role refers to Nobody, which the template does not have.',
    ],
    [
      'whose event source is of another queue',
      (template) => {
        const [dead] = Object.keys(template.Resources).filter((id) =>
          /DeadLetterQueue\w{8}$/.test(id),
        );
        const mapping = only(template, 'AWS::Lambda::EventSourceMapping', 'TaskQueue');
        Object.assign(mapping, { EventSourceArn: { 'Fn::GetAtt': [dead, 'Arn'] } });
      },
      'Queue visibility timeout: 30 seconds is less than Function timeout: 900 seconds',
    ],
    [
      'whose functions have a role that Lambda may not assume',
      (template) => {
        const [, role] =
          Object.entries(template.Resources).find(([id]) => id.includes('SeedRole')) ?? [];
        const trust = { Version: '2012-10-17', Statement: [] };
        Object.assign(role?.Properties ?? {}, { AssumeRolePolicyDocument: trust });
      },
      'The role defined for the function Fanfold-seed cannot be assumed by Lambda',
    ],
    [
      'whose event source may not receive',
      (template) => drop(template, 'WorkerRole', 'sqs:ReceiveMessage'),
      'does not have permissions to call sqs:ReceiveMessage',
    ],
  ])('%s', async (_, mutate, sentence) => {
    await expect(deployed(mutate)).rejects.toThrow(sentence);
  });
});
