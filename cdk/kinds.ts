import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { FanfoldProps } from './props.ts';
import { refuse, shown } from './refuse.ts';

/** A prop's expected type, as text for errors, and a predicate for its values. */
export type Kind = readonly [expected: string, is: (value: unknown) => boolean];
export type Kinds<Props> = { readonly [Prop in keyof Props]-?: Kind };

const isText = (value: unknown) => typeof value === 'string';
const isObject = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf = (is: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(is);

/** Recognizes an object by a member: `instanceof` fails if an app has two copies of the CDK. */
export const has = (member: string, type: 'function' | 'string' | 'object') => (value: unknown) =>
  isObject(value) && typeof (value as Record<string, unknown>)[member] === type;

export const TOPIC: Kind = [
  'an SNS topic, such as one from Topic.fromTopicArn()',
  has('topicArn', 'string'),
];
export const DURATION: Kind = [
  'a Duration, such as Duration.minutes(5)',
  has('isUnresolved', 'function'),
];
export const TEXTS = (of: string): Kind => [`a list of ${of}`, isListOf(isText)];
export const ARN = (of: string): Kind => [
  `the ARN of ${of}`,
  (value) => isText(value) && (Token.isUnresolved(value) || String(value).startsWith('arn:')),
];

const isBucket = has('arnForObjects', 'function');
const isInputPrefix = (value: unknown) => {
  if (!isObject(value)) return false;
  const { bucket, prefix } = value as Record<string, unknown>;
  return isBucket(bucket) && isText(prefix);
};
export const BUCKETS: Kind = [
  'a list of buckets, such as one from Bucket.fromBucketName(), or of { bucket, prefix }',
  isListOf((value) => isBucket(value) || isInputPrefix(value)),
];

/** Props that are checked elsewhere, with their range or list of values. */
type CheckedElsewhere =
  | 'memorySize'
  | 'maxConcurrency'
  | 'burst'
  | 'reservedConcurrentExecutions'
  | 'logRetention'
  | 'logLevel'
  | 'tracing'
  | 'removalPolicy';

const OF_DEPLOYMENT: Kinds<Omit<FanfoldProps, CheckedElsewhere>> = {
  tasks: ['the path of your tasks module, as a string', isText],
  name: ['a string', isText],
  timeout: DURATION,
  reserveBurst: ['true or false', (value) => typeof value === 'boolean'],
  architecture: ['Architecture.ARM_64 or Architecture.X86_64', has('dockerPlatform', 'string')],
  environment: ['an object with strings, such as { TABLE: "photos" }', isObject],
  vpc: ['a VPC, such as one from Vpc.fromLookup()', has('selectSubnets', 'function')],
  vpcSubnets: ['a selection of subnets, such as { subnetGroupName: "workers" }', isObject],
  securityGroups: ['a list of security groups', isListOf(has('securityGroupId', 'string'))],
  encryptionKey: ['a KMS key, such as one from Key.fromKeyArn()', has('keyArn', 'string')],
  alarmTopic: TOPIC,
  inputBuckets: BUCKETS,
  bundling: ["an object with esbuild's options, such as { nodeModules: ['sharp'] }", isObject],
};

const OF_BUNDLING: Partial<Kinds<NonNullable<FanfoldProps['bundling']>>> = {
  nodeModules: TEXTS('names of packages'),
  externalModules: TEXTS('names of packages'),
  loader: ['an object with loaders, such as { ".txt": "text" }', isObject],
  define: ['an object with strings', isObject],
  esbuildArgs: ['an object with arguments', isObject],
};

/**
 * Checks the types of a deployment's props. JavaScript callers have no type checking: a wrong prop
 * would cause an obscure CDK error, or silently deploy something else.
 *
 * @throws FanfoldPropsError when a prop has a wrong type
 */
export function checkKinds(scope: Construct, props: FanfoldProps): void {
  checkKindsOf(scope, props, OF_DEPLOYMENT);
  checkKindsOf(scope, props.bundling ?? {}, OF_BUNDLING, 'bundling.');
  // An explicit `undefined` usually means an unset variable, not a request for the built-in tasks.
  if (!('tasks' in props) || props.tasks !== undefined) return;
  refuse(
    scope,
    '`tasks` must be the path of your tasks module, as a string; got undefined. Leave it out for the built-in tasks.',
  );
}

/** @throws FanfoldPropsError when one of the props has a wrong type */
export function checkKindsOf<Props extends object>(
  scope: Construct,
  props: Props,
  kinds: Partial<Kinds<Props>>,
  prefix = '',
): void {
  if (!isObject(props)) refuse(scope, `its props must be an object; got ${shown(props)}.`);
  for (const [prop, kind] of Object.entries<Kind | undefined>(kinds)) {
    if (kind === undefined) continue;
    const [expected, is] = kind;
    const value = (props as Record<string, unknown>)[prop];
    if (value === undefined || is(value)) continue;
    refuse(scope, `\`${prefix}${prop}\` must be ${expected}; got ${shown(value)}.`);
  }
}
