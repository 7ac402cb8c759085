import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Properties as a template has them: what they refer to is not resolved. */
export type Properties = Readonly<Record<string, unknown>>;

export interface Resource {
  Type: string;
  Properties?: Properties;
  DependsOn?: string | string[];
}

/** A CloudFormation template, as `cdk synth` writes it. */
export interface Template {
  Resources: Record<string, Resource>;
  Parameters?: Record<string, { Default?: string }>;
  Conditions?: Record<string, unknown>;
  Outputs?: Record<string, { Value: unknown }>;
}

/** The template of one stack in a folder that the CDK synthesized to. */
export function readTemplate(assembly: string, stack: string): Template {
  return JSON.parse(readFileSync(join(assembly, `${stack}.template.json`), 'utf8'));
}

/** Where a stack is deployed to. */
export interface Place {
  readonly accountId: string;
  readonly region: string;
  readonly stackName: string;
  /** The start of queue URLs. */
  readonly endpoint: string;
}

/** The template cannot be deployed: CloudFormation or the service would refuse it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** A text with `${AWS::Region}` and `${AWS::AccountId}` in it, as assets' destinations have them. */
export function placed(text: string, { accountId, region }: Place): string {
  return text.replace(/\$\{AWS::(AccountId|Region)\}/g, (_, name: string) =>
    name === 'Region' ? region : accountId,
  );
}
