import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { App, type AppProps, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Fanfold, type FanfoldProps } from '../../cdk/index.ts';
import { ASSEMBLIES } from './assemblies.ts';

/** An app that is synthesized without esbuild: the functions' code is not checked. */
export function newApp(context?: Record<string, unknown>): App {
  return new App(appProps(context));
}

export function appProps(
  context: Record<string, unknown> = { 'aws:cdk:bundling-stacks': [] },
): AppProps {
  mkdirSync(ASSEMBLIES, { recursive: true });
  return { outdir: mkdtempSync(join(ASSEMBLIES, 'app-')), context };
}

/** A stack for constructs. */
export function emptyStack(name = 'Photos'): Stack {
  return new Stack(newApp(), name);
}

/** The template of a stack that holds one deployment. */
export function templateOf(props: FanfoldProps = {}): Template {
  const stack = emptyStack();
  new Fanfold(stack, 'Fanfold', props);
  return Template.fromStack(stack);
}

/** The only resource of its type whose properties are like these. */
export function only(template: Template, type: string, properties: object): Resource {
  const found = Object.entries(
    template.findResources(type, { Properties: Match.objectLike(properties) }),
  );
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(
      `one ${type} like ${JSON.stringify(properties)} was expected; ${found.length} are there`,
    );
  }
  return { logicalId: first[0], ...(first[1] as { Properties: Record<string, unknown> }) };
}

export interface Resource {
  logicalId: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  DependsOn?: string[];
}

/** The grants of a function: `action on resource`, sorted, with resources by name. */
export function allowedTo(template: Template, functionName: string): string[] {
  const { Properties } = only(template, 'AWS::Lambda::Function', { FunctionName: functionName });
  const [role] = (Properties.Role as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'];
  const policies = template.findResources('AWS::IAM::Policy', {
    Properties: { Roles: Match.arrayWith([{ Ref: role }]) },
  });
  const statements = Object.values(policies).flatMap(
    ({ Properties: { PolicyDocument } }) => PolicyDocument.Statement as Statement[],
  );
  return linesOf(template, statements);
}

/** The managed policy of a name, to which its region is added. */
export function managedPolicy(template: Template, name: string): Resource {
  return only(template, 'AWS::IAM::ManagedPolicy', {
    ManagedPolicyName: { 'Fn::Join': ['', [`${name}-`, { Ref: 'AWS::Region' }]] },
  });
}

/** The grants of a managed policy, in the same form. */
export function allowedBy(template: Template, name: string): string[] {
  const { PolicyDocument } = managedPolicy(template, name).Properties;
  return linesOf(template, (PolicyDocument as { Statement: Statement[] }).Statement);
}

function linesOf(template: Template, statements: Statement[]): string[] {
  const lines = statements.flatMap(({ Effect, Action, Resource }) =>
    [Action].flat().flatMap((action) =>
      [Resource].flat().map((resource) => {
        const line = `${action} on ${nameOf(template, resource)}`;
        return Effect === 'Allow' ? line : `not ${line}`;
      }),
    ),
  );
  return [...new Set(lines)].sort();
}

interface Statement {
  Effect: string;
  Action: string | string[];
  Resource: unknown;
}

/** A resource of a statement, by the name that the template gives it. */
export function nameOf(template: Template, resource: unknown): string {
  if (typeof resource === 'string') return resource;
  const { 'Fn::GetAtt': attribute, 'Fn::Join': join } = resource as {
    'Fn::GetAtt'?: [string, string];
    'Fn::Join'?: [string, unknown[]];
  };
  if (attribute) {
    const { Type, Properties: properties = {} } = template.toJSON().Resources[attribute[0]];
    const { QueueName, LogGroupName, FunctionName } = properties;
    // Without the digits that the CDK adds.
    if (Type === 'AWS::S3::Bucket') return attribute[0].slice(0, -8);
    return QueueName ?? LogGroupName ?? FunctionName ?? attribute[0];
  }
  const parts = join?.[1].map((part) =>
    typeof part === 'object' && part !== null && 'Ref' in part ? part.Ref : nameOf(template, part),
  );
  return parts ? parts.join('') : JSON.stringify(resource);
}
