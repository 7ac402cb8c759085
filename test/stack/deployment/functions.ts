import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Intrinsics } from './intrinsics.ts';
import { resourcesOf } from './principals.ts';
import { type Place, placed, type Template, TemplateError } from './template.ts';

/** A Lambda function as its template defines it. */
export interface FunctionDefinition {
  readonly logicalId: string;
  readonly name: string;
  readonly roleArn: string;
  readonly handler: string;
  readonly memoryMb: number;
  readonly timeoutSeconds: number;
  readonly reservedConcurrency: number | undefined;
  readonly variables: Readonly<Record<string, string>>;
  readonly logGroup: string;
  readonly logFormat: string;
  readonly traced: boolean;
  readonly mayRecurse: boolean;
  /** The folder of its code. */
  readonly code: string;
  /** Of asynchronous invocations. */
  readonly maxRetryAttempts: number | undefined;
  readonly maxEventAgeSeconds: number | undefined;
}

const PROPERTIES = [
  'Architectures',
  'Code',
  'Description',
  'Environment',
  'FunctionName',
  'Handler',
  'LoggingConfig',
  'MemorySize',
  'RecursiveLoop',
  'ReservedConcurrentExecutions',
  'Role',
  'Runtime',
  'Tags',
  'Timeout',
  'TracingConfig',
];

/** Lambda sets these, and refuses a function that sets them. */
const RESERVED =
  /^(AWS_(REGION|ACCESS_KEY|SECRET|SESSION|LAMBDA_|EXECUTION)|LAMBDA_|_HANDLER|_X_AMZN)/;

/** Maximum size of all names and values of variables, in bytes. */
const MAX_ENVIRONMENT_BYTES = 4096;

interface FunctionProperties {
  Code: { S3Bucket: string; S3Key: string };
  Environment?: { Variables?: Record<string, string> };
  Handler: string;
  LoggingConfig?: { LogGroup?: string; LogFormat?: string };
  MemorySize?: number;
  RecursiveLoop?: string;
  ReservedConcurrentExecutions?: number;
  Role: string;
  Runtime: string;
  Timeout?: number;
  TracingConfig?: { Mode?: string };
}

interface InvokeConfig {
  FunctionName: string;
  Qualifier: string;
  MaximumRetryAttempts?: number;
  MaximumEventAgeInSeconds?: number;
}

/** All functions of a template. */
export function functionsOf(
  assembly: string,
  template: Template,
  intrinsics: Intrinsics,
  place: Place,
): FunctionDefinition[] {
  const configs = invokeConfigs(template, intrinsics);
  const definitions = resourcesOf(template, intrinsics, 'AWS::Lambda::Function').map((resource) => {
    const { logicalId } = resource;
    checkKnown(resource, PROPERTIES);
    // CloudFormation checks their types; their use is checked here.
    const properties = resource.properties as unknown as FunctionProperties;
    const { Timeout = 3, MemorySize = 128, Runtime, LoggingConfig = {} } = properties;
    if (Runtime !== 'nodejs24.x') {
      throw new TemplateError(`${logicalId} runs on ${Runtime}; nodejs24.x is what runs here.`);
    }
    checkRange(`${logicalId}.Timeout`, Timeout, 1, 900);
    checkRange(`${logicalId}.MemorySize`, MemorySize, 128, 10_240);
    const name = intrinsics.identity(logicalId).ref;
    const config = configs.get(name);
    return {
      logicalId,
      name,
      roleArn: properties.Role,
      handler: properties.Handler,
      memoryMb: MemorySize,
      timeoutSeconds: Timeout,
      reservedConcurrency: properties.ReservedConcurrentExecutions,
      variables: variablesOf(logicalId, properties),
      logGroup: LoggingConfig.LogGroup ?? `/aws/lambda/${name}`,
      logFormat: LoggingConfig.LogFormat ?? 'Text',
      traced: properties.TracingConfig?.Mode === 'Active',
      mayRecurse: properties.RecursiveLoop === 'Allow',
      code: assetFolder(assembly, place, logicalId, properties.Code),
      maxRetryAttempts: config?.MaximumRetryAttempts,
      maxEventAgeSeconds: config?.MaximumEventAgeInSeconds,
    };
  });
  const names = new Set(definitions.map(({ name }) => name));
  for (const name of configs.keys()) {
    if (names.has(name)) continue;
    throw new TemplateError(`An EventInvokeConfig is for ${name}, which is no function here.`);
  }
  return definitions;
}

function invokeConfigs(template: Template, intrinsics: Intrinsics): Map<string, InvokeConfig> {
  const known = ['FunctionName', 'Qualifier', 'MaximumRetryAttempts', 'MaximumEventAgeInSeconds'];
  return new Map(
    resourcesOf(template, intrinsics, 'AWS::Lambda::EventInvokeConfig').map((resource) => {
      checkKnown(resource, known);
      const config = resource.properties as unknown as InvokeConfig;
      if (config.Qualifier === '$LATEST') return [config.FunctionName, config];
      throw new TemplateError(
        `${resource.logicalId} is for the qualifier ${config.Qualifier}; functions here have $LATEST alone.`,
      );
    }),
  );
}

function variablesOf(
  logicalId: string,
  { Environment: { Variables = {} } = {} }: FunctionProperties,
): Record<string, string> {
  for (const [name, value] of Object.entries(Variables)) {
    const where = `${logicalId}.Environment.Variables.${name}`;
    if (!/^[a-zA-Z]\w+$/.test(name) || RESERVED.test(name)) {
      throw new TemplateError(`${where}: Lambda takes no variable of that name.`);
    }
    if (typeof value !== 'string') {
      throw new TemplateError(`${where} is to be a text; it is ${JSON.stringify(value)}.`);
    }
  }
  if (Buffer.byteLength(JSON.stringify(Variables)) <= MAX_ENVIRONMENT_BYTES) return Variables;
  throw new TemplateError(`${logicalId}: variables take ${MAX_ENVIRONMENT_BYTES} bytes at most.`);
}

interface Assets {
  files: Record<
    string,
    {
      source: { path: string; packaging: string };
      destinations: Record<string, { bucketName: string; objectKey: string }>;
    }
  >;
}

/** The folder that `cdk deploy` would upload to the place of the code in the template. */
function assetFolder(
  assembly: string,
  place: Place,
  logicalId: string,
  { S3Bucket, S3Key }: FunctionProperties['Code'],
): string {
  const file = join(assembly, `${place.stackName}.assets.json`);
  const { files }: Assets = JSON.parse(readFileSync(file, 'utf8'));
  const found = Object.values(files).find(({ destinations }) =>
    Object.values(destinations).some(
      ({ bucketName, objectKey }) => placed(bucketName, place) === S3Bucket && objectKey === S3Key,
    ),
  );
  if (found) return join(assembly, found.source.path);
  throw new TemplateError(
    `${logicalId}.Code is s3://${S3Bucket}/${S3Key}, which no asset of the assembly goes to.`,
  );
}

/** Refuses a resource with properties that are not supported here. */
export function checkKnown(
  { logicalId, properties }: { logicalId: string; properties: object },
  known: readonly string[],
): void {
  const unknown = Object.keys(properties).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new TemplateError(`${logicalId} has the property ${unknown}, which is not known here.`);
}

function checkRange(where: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new TemplateError(`${where} is ${least} to ${most}; it is ${value}.`);
}
