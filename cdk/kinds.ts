import { Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { FanfoldStackProps } from './fanfold-stack.ts';
import type { MonitoringProps } from './monitoring.ts';
import type { FanfoldProps } from './props.ts';
import { refuse, shown } from './refuse.ts';

/** What a prop is to be, for a sentence, and whether a value is that. */
type Kind = readonly [expected: string, is: (value: unknown) => boolean];
type Kinds<Props> = { readonly [Prop in keyof Props]-?: Kind };

const isText = (value: unknown) => typeof value === 'string';
const isObject = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOf = (is: (value: unknown) => boolean) => (value: unknown) =>
  Array.isArray(value) && value.every(is);

/** An object that is known by a member: an app may have two copies of the CDK, whose classes differ. */
const has = (member: string, type: 'function' | 'string' | 'object') => (value: unknown) =>
  isObject(value) && typeof (value as Record<string, unknown>)[member] === type;

const TOPIC: Kind = ['an SNS topic, such as Topic.fromTopicArn() gives', has('topicArn', 'string')];
const DURATION: Kind = ['a Duration, such as Duration.minutes(5)', has('isUnresolved', 'function')];
const arn = (of: string): Kind => [
  `the ARN of ${of}`,
  (value) => isText(value) && (Token.isUnresolved(value) || String(value).startsWith('arn:')),
];

/** What is a number is checked with its range. */
type Numbers =
  | 'memorySize'
  | 'maxConcurrency'
  | 'burst'
  | 'reservedConcurrentExecutions'
  | 'logRetention';

const OF_DEPLOYMENT: Kinds<Omit<FanfoldProps, Numbers | 'removalPolicy'>> = {
  tasks: ['the path of your tasks module, a text', isText],
  name: ['a text', isText],
  timeout: DURATION,
  architecture: ['Architecture.ARM_64 or Architecture.X86_64', has('dockerPlatform', 'string')],
  environment: ['an object with texts, such as { TABLE: "photos" }', isObject],
  vpc: ['a VPC, such as Vpc.fromLookup() gives', has('selectSubnets', 'function')],
  vpcSubnets: ['a selection of subnets, such as { subnetGroupName: "workers" }', isObject],
  securityGroups: ['a list of security groups', isListOf(has('securityGroupId', 'string'))],
  encryptionKey: ['a KMS key, such as Key.fromKeyArn() gives', has('keyArn', 'string')],
  alarmTopic: TOPIC,
  inputBuckets: [
    'a list of buckets, such as Bucket.fromBucketName() gives',
    isListOf(has('arnForObjects', 'function')),
  ],
  bundling: ["an object with esbuild's options, such as { nodeModules: ['sharp'] }", isObject],
};

const OF_BUNDLING: Partial<Kinds<NonNullable<FanfoldProps['bundling']>>> = {
  nodeModules: ['a list of names of packages', isListOf(isText)],
  externalModules: ['a list of names of packages', isListOf(isText)],
  loader: ['an object with loaders, such as { ".txt": "text" }', isObject],
  define: ['an object with texts', isObject],
  esbuildArgs: ['an object with arguments', isObject],
};

const OF_STACK: Partial<Kinds<FanfoldStackProps>> = {
  maxTaskAge: DURATION,
  inputBuckets: OF_DEPLOYMENT.inputBuckets,
  inputBucketNames: ['a list of names of buckets', isListOf(isText)],
  alarmTopicArn: arn('an SNS topic'),
  encryptionKeyArn: arn('a KMS key'),
};

const OF_MONITORING: Kinds<MonitoringProps> = {
  fanfold: ['the Fanfold that is to be watched', has('taskQueue', 'object')],
  alarmTopic: TOPIC,
  maxTaskAge: DURATION,
};

/**
 * Untyped code is not told by types what it may give: it would meet an error of the CDK's, or none,
 * and another deployment than was meant.
 *
 * @throws FanfoldPropsError when a prop is of another kind than it is to be
 */
export function checkKinds(scope: Construct, props: FanfoldProps): void {
  check(scope, props, OF_DEPLOYMENT);
  check(scope, props.bundling ?? {}, OF_BUNDLING, 'bundling.');
  // Said on purpose, it is mostly a variable that is not set, and no wish for the tasks that ship.
  if (!('tasks' in props) || props.tasks !== undefined) return;
  refuse(
    scope,
    '`tasks` is the path of your tasks module, a text; undefined came. Leave it out for the tasks that ship.',
  );
}

export function checkStackKinds(scope: Construct, props: FanfoldStackProps): void {
  check(scope, props, OF_STACK);
}

export function checkMonitoringKinds(scope: Construct, props: MonitoringProps): void {
  check(scope, props, OF_MONITORING);
  if (props.fanfold !== undefined) return;
  refuse(scope, `\`fanfold\` is ${OF_MONITORING.fanfold[0]}; undefined came.`);
}

function check(scope: Construct, props: object, kinds: object, prefix = ''): void {
  if (!isObject(props)) refuse(scope, `its props are an object; ${shown(props)} came.`);
  for (const [prop, kind] of Object.entries(kinds)) {
    const [expected, is] = kind as Kind;
    const value = (props as Record<string, unknown>)[prop];
    if (value === undefined || is(value)) continue;
    refuse(scope, `\`${prefix}${prop}\` is ${expected}; ${shown(value)} came.`);
  }
}
