import type { Construct } from 'constructs';
import { refuse, shown } from './refuse.ts';

type Is = (value: unknown) => boolean;

/** Recognizes an object by a member: `instanceof` fails if an app has two copies of the CDK. */
const has =
  (member: string): Is =>
  (value) =>
    member in Object(value);
const isText = has('trim');
const listOf =
  (is: Is): Is =>
  (value) =>
    Array.isArray(value) && value.every(is);
const isBucket = has('arnForObjects');
const isPrefix: Is = (value) => isBucket(Object(value).bucket) && isText(Object(value).prefix);
const PLACES: [is: Is, expected: string] = [
  listOf((value) => isBucket(value) || isPrefix(value)),
  'a list of buckets, such as one from Bucket.fromBucketName(), or of { bucket, prefix }',
];

const DURATION = 'a Duration, such as Duration.minutes(5)';
const PACKAGES = 'a list of names of packages';

/**
 * Props whose wrong type the CDK would deploy as something else, or refuse from deep inside. Types
 * find them in TypeScript; this finds them in JavaScript.
 */
const TYPES: readonly [prop: string, is: Is, expected: string][] = [
  ['tasks', isText, 'the path of your tasks module, as a string'],
  ['name', isText, 'a string'],
  ['timeout', has('toSeconds'), DURATION],
  ['maxTaskAge', has('toSeconds'), DURATION],
  ['architecture', has('dockerPlatform'), 'Architecture.ARM_64 or Architecture.X86_64'],
  [
    'environment',
    (value) => value !== null && !isText(value),
    'an object with strings, such as { TABLE: "photos" }',
  ],
  ['vpc', has('selectSubnets'), 'a VPC, such as one from Vpc.fromLookup()'],
  [
    'vpcSubnets',
    (value) => !isText(value),
    'a selection of subnets, such as { subnetGroupName: "workers" }',
  ],
  ['securityGroups', listOf(has('securityGroupId')), 'a list of security groups'],
  ['encryptionKey', has('keyArn'), 'a KMS key, such as one from Key.fromKeyArn()'],
  ['monitoring', (value) => typeof value === 'boolean', 'true or false'],
  ['alarmTopic', has('topicArn'), 'an SNS topic, such as one from Topic.fromTopicArn()'],
  ['inputBuckets', ...PLACES],
  ['resultPlaces', ...PLACES],
  ['bucket', isBucket, 'a bucket, such as one from Bucket.fromBucketName()'],
  ['bundling.nodeModules', listOf(isText), PACKAGES],
  ['bundling.externalModules', listOf(isText), PACKAGES],
];

/** @throws FanfoldPropsError when a prop has a wrong type */
export function checkTypes(scope: Construct, props: object): void {
  const given = new Map<string, unknown>(Object.entries(props));
  const bundling = Object.entries<unknown>(Object(given.get('bundling')));
  for (const [option, value] of bundling) given.set(`bundling.${option}`, value);
  for (const [prop, is, expected] of TYPES) {
    const value = given.get(prop);
    if (value === undefined || is(value)) continue;
    refuse(scope, `\`${prop}\` must be ${expected}; got ${shown(value)}.`);
  }
  // An explicit `undefined` usually means an unset variable, not a request for the built-in tasks.
  if (!given.has('tasks') || given.get('tasks') !== undefined) return;
  refuse(
    scope,
    '`tasks` must be the path of your tasks module, as a string; got undefined. Leave it out for the built-in tasks.',
  );
}
