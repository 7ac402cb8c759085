import { type App, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Architecture, Tracing } from 'aws-cdk-lib/aws-lambda';
import { distance } from 'fastest-levenshtein';
import type { FanfoldStackProps } from './fanfold-stack.ts';
import { tasksOfProject } from './project.ts';
import { FanfoldPropsError } from './refuse.ts';

/** Reads the stack's props from the app's context: `cdk.json`, or `-c maxConcurrency=200`. */
export function propsFromContext(app: App): FanfoldStackProps {
  const known: string[] = [];
  const given = (key: string): unknown => {
    known.push(key);
    // In JSON, `null` stands for a value that is not set.
    return app.node.tryGetContext(key) ?? undefined;
  };
  const text = (key: string, otherwise?: unknown): string | undefined => {
    const value = given(key) ?? otherwise;
    if (value === undefined || typeof value === 'string') return value;
    throw wrong(key, 'a string', value);
  };
  // A value from -c is a string, one from cdk.json a number.
  const number = (key: string): number | undefined => {
    const value = given(key);
    if (value === undefined) return undefined;
    const came = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
    // The construct checks the range.
    if (Number.isSafeInteger(came)) return Number(came);
    throw wrong(key, 'a whole number', value);
  };
  const seconds = (key: string): Duration | undefined => {
    const value = number(key);
    if (value === undefined) return undefined;
    if (value > 0) return Duration.seconds(value);
    throw wrong(key, 'a whole number of seconds, 1 or more', value);
  };
  const like = (form: RegExp, expected: string, key: string): string | undefined => {
    const value = text(key);
    if (value === undefined || form.test(value)) return value;
    throw wrong(key, expected, value);
  };
  const oneOf = <T>(key: string, values: Record<string, T>): T | undefined => {
    const value = text(key);
    if (value === undefined) return undefined;
    if (Object.hasOwn(values, value)) return values[value];
    throw wrong(key, Object.keys(values).join(' or '), value);
  };
  const flag = (key: string): boolean | undefined => {
    const value = given(key);
    if (value === undefined || typeof value === 'boolean') return value;
    if (value === 'true' || value === 'false') return value === 'true';
    throw wrong(key, 'true or false', value);
  };
  const places = (key: string): string[] | undefined =>
    like(BUCKETS, 'names of buckets or NAME/PREFIX, separated by commas', key)?.split(',');
  const props: { [Prop in keyof FanfoldStackProps]: FanfoldStackProps[Prop] | undefined } = {
    // Also the stack's name, for which CloudFormation allows fewer characters.
    name: like(/^[A-Za-z][A-Za-z0-9-]{0,39}$/, STACK_NAME, 'name'),
    tasks: text('tasks', tasksOfProject(process.cwd())),
    memorySize: number('memorySize'),
    timeout: seconds('timeout'),
    maxConcurrency: number('maxConcurrency'),
    burst: number('burst'),
    reserveBurst: flag('reserveBurst'),
    reservedConcurrentExecutions: number('reservedConcurrentExecutions'),
    architecture: oneOf('architecture', ARCHITECTURES),
    removalPolicy: oneOf('removalPolicy', REMOVAL_POLICIES),
    // In days; the construct checks which values are allowed.
    logRetention: number('logRetention'),
    logLevel: oneOf('logLevel', { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' }),
    tracing: oneOf('tracing', TRACINGS),
    inputBucketNames: places('inputBuckets'),
    s3Results: flag('s3Results'),
    bucketName: like(new RegExp(`^${BUCKET}$`), 'the name of a bucket', 'bucket'),
    resultPlaceNames: places('resultPlaces'),
    encryptionKeyArn: like(/^arn:[\w-]+:kms:.+:key\/.+/, 'the ARN of a KMS key', 'encryptionKey'),
    alarmTopicArn: like(/^arn:[\w-]+:sns:.+/, 'the ARN of an SNS topic', 'alarmTopic'),
    maxTaskAge: seconds('maxTaskAge'),
    bundling: bundlingOf(like(PACKAGES, 'names of packages, separated by commas', 'nodeModules')),
  };
  refuseMisspelled(Object.keys(app.node.getAllContext()), known);
  return Object.fromEntries(Object.entries(props).filter(([, value]) => value !== undefined));
}

/**
 * Refuses a key that is a misspelling of a known one: CDK would ignore it, and deploy another stack
 * than the user intended. All others may be the CDK's, or of a user's `~/.cdk.json`.
 */
function refuseMisspelled(keys: readonly string[], known: readonly string[]): void {
  const plain = (key: string) => key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  const letters = (key: string) => [...plain(key)].sort().join('');
  // Two edits can make another word of a short one, such as `date` from `name`.
  const isLike = (key: string) => (one: string) =>
    letters(one) === letters(key) || distance(plain(one), plain(key)) <= (one.length < 8 ? 1 : 2);
  for (const key of keys) {
    if (known.includes(key) || /[:@/]/.test(key)) continue;
    const nearest = known.find(isLike(key));
    if (nearest === undefined) continue;
    throw new FanfoldPropsError(
      `There is no context value \`${key}\`. Did you mean \`${nearest}\`? Known values: ${known.join(', ')}.`,
    );
  }
}

const STACK_NAME = '1 to 40 letters, digits and "-", starting with a letter';

const BUCKET = '[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]';
const PLACE = `${BUCKET}(/[^,*?$]+)?`;
const BUCKETS = new RegExp(`^${PLACE}(,${PLACE})*$`);

const PACKAGES = /^[\w@./-]+(,[\w@./-]+)*$/;

function bundlingOf(nodeModules: string | undefined): FanfoldStackProps['bundling'] {
  return nodeModules === undefined ? undefined : { nodeModules: nodeModules.split(',') };
}

const ARCHITECTURES: Record<string, Architecture> = {
  arm64: Architecture.ARM_64,
  x86_64: Architecture.X86_64,
};

const TRACINGS: Record<string, Tracing> = {
  active: Tracing.ACTIVE,
  passThrough: Tracing.PASS_THROUGH,
  disabled: Tracing.DISABLED,
};

const REMOVAL_POLICIES = { destroy: RemovalPolicy.DESTROY, retain: RemovalPolicy.RETAIN };

function wrong(key: string, expected: string, came: unknown): FanfoldPropsError {
  return new FanfoldPropsError(
    `The context value \`${key}\` must be ${expected}; got ${JSON.stringify(came)}.`,
  );
}
