import { Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type Architecture, Tracing } from 'aws-cdk-lib/aws-lambda';
import type { BundlingOptions } from 'aws-cdk-lib/aws-lambda-nodejs';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { refuse, shown } from './refuse.ts';

/** Objects of a bucket whose keys have a common prefix. */
export interface BucketPrefix {
  /** The bucket. */
  readonly bucket: IBucket;
  /** Prefix of the keys. Without a slash at the end, `photos` also matches `photos-old/`. */
  readonly prefix: string;
}

const LOG_LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const;

/**
 * Props of a `Fanfold`; all are optional.
 *
 * ```ts
 * new Fanfold(stack, 'Fanfold', { tasks: 'src/tasks.ts', memorySize: 1024, maxConcurrency: 200 });
 * ```
 */
export interface FanfoldProps {
  /**
   * Path of your tasks module, absolute or relative to the folder that the app runs in. Its exports
   * made by `defineTask` can be run. esbuild bundles it into the functions.
   * @default the built-in tasks: echo, sleep, sha256
   */
  readonly tasks?: string;
  /**
   * The deployment's name, a prefix of the names of all its parts: 1 to 40 letters, digits, `-` and
   * `_`, starting with a letter or digit, without `-run-` in it or `-run` at its end. It must be
   * unique in its account and region.
   * @default the stack's name
   */
  readonly name?: string;
  /**
   * Memory of a worker, in MiB: 128 to 10240. Its share of CPU grows with the memory; 1769 MiB give
   * one vCPU.
   * @default 1024
   */
  readonly memorySize?: number;
  /**
   * Timeout of a worker's invocation: 2 to 15 minutes, in whole seconds. A longer timeout costs
   * nothing, since a worker sends back an unfinished chunk after a minute. Every task's
   * `timeoutSeconds` must fit into it.
   * @default 15 minutes
   */
  readonly timeout?: Duration;
  /**
   * Maximum number of concurrent workers, including burst workers: 2 to 1000.
   * @default 100
   */
  readonly maxConcurrency?: number;
  /**
   * Number of workers, out of `maxConcurrency`, that the seed starts itself, so that a run need not
   * wait until the event source has scaled up: 0 to `maxConcurrency` - 2; 0 means no burst workers.
   * The seed starts fewer while other workers are busy.
   * @default half of `maxConcurrency`, at most 100
   */
  readonly burst?: number;
  /**
   * Reserves the concurrency of burst workers, which makes `burst` a hard limit. AWS rejects a
   * reservation that leaves the account with less than 100 unreserved.
   * @default false: the seed counts the busy workers, and starts only as many as are left
   */
  readonly reserveBurst?: boolean;
  /**
   * Reserved concurrency of the workers that the event source starts: from their share of
   * `maxConcurrency` to 10000.
   * @default none
   */
  readonly reservedConcurrentExecutions?: number;
  /** Processor architecture of the functions. @default Architecture.ARM_64 */
  readonly architecture?: Architecture;
  /**
   * Environment variables for the tasks. The seed gets them too, since it loads the tasks module.
   * The prefixes `FANFOLD_` and `POWERTOOLS_` are reserved.
   * @default none
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * VPC for the workers, if tasks need its resources. Workers then reach SQS, and Lambda if `burst`
   * is not 0, through a NAT or interface endpoints of the VPC. The seed stays outside.
   * @default in no VPC
   */
  readonly vpc?: IVpc;
  /** Subnets of the workers in `vpc`. @default the VPC's private subnets */
  readonly vpcSubnets?: SubnetSelection;
  /**
   * Security groups of the workers in `vpc`.
   * @default a new one for all workers, which allows all outbound traffic
   */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * Key that encrypts all queues, including those of runs, and the bucket, unless `bucket` is given.
   * @default keys that SQS and S3 manage
   */
  readonly encryptionKey?: IKey;
  /**
   * Policy for queues, logs and the bucket when the stack is destroyed, or they are replaced.
   * CloudFormation can delete a bucket only if it is empty.
   * @default RemovalPolicy.DESTROY for queues and logs, RemovalPolicy.RETAIN for the bucket
   */
  readonly removalPolicy?: RemovalPolicy;
  /** Retention of the functions' logs. @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays;
  /** Lowest level that is logged, by Fanfold and by the tasks' `log`. @default 'INFO' */
  readonly logLevel?: (typeof LOG_LEVELS)[number];
  /** X-Ray tracing of the functions. @default Tracing.ACTIVE */
  readonly tracing?: Tracing;
  /**
   * True for alarms, a dashboard, and outputs that name the deployment's parts. Turn them off to
   * make a `FanfoldMonitoring` of your own.
   * @default true
   */
  readonly monitoring?: boolean;
  /**
   * Topic for alarm notifications.
   * @default none: alarms are visible in CloudWatch
   */
  readonly alarmTopic?: ITopic;
  /**
   * Buckets that the seed may read inputs from (`s3://bucket/key`), or prefixes in them:
   * `{ bucket, prefix: 'inputs/' }`.
   * @default none
   */
  readonly inputBuckets?: readonly (IBucket | BucketPrefix)[];
  /**
   * True for the collector function, which writes results to S3 and emits events, with its watchdog
   * and alarm.
   * @default true
   */
  readonly s3Results?: boolean;
  /**
   * Bucket for results, below `runs/`, and for inputs and outputs that do not fit in a message,
   * below `payloads/`. Give it a lifecycle rule that deletes the latter after 14 days.
   * @default a new one
   */
  readonly bucket?: IBucket;
  /**
   * Further buckets that results may be written to (`s3://bucket/prefix/`), or prefixes in them:
   * `{ bucket, prefix: 'results/' }`.
   * @default only `runs/` in `bucket`
   */
  readonly resultPlaces?: readonly (IBucket | BucketPrefix)[];
  /**
   * Additional bundling options. `format`, `mainFields` and `bundleAwsSDK` are fixed. Packages in
   * `nodeModules`, for native modules, are installed for the functions' platform, in the versions
   * of the package-lock.json or pnpm-lock.yaml nearest to the tasks module.
   * @default none
   */
  readonly bundling?: Omit<BundlingOptions, 'format' | 'mainFields' | 'bundleAwsSDK'>;
}

/** Lambda's longest timeout. */
const LONGEST_SECONDS = 900;
/** A task's default of 60 s, plus a worker's time to report, plus a margin as large. */
const SHORTEST_SECONDS = 120;

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency */
const FEWEST_SCALED = 2;

/** Checked values of the props that depend on each other. */
export interface Limits {
  readonly memorySize: number;
  readonly timeout: Duration;
  /** Maximum number of concurrent workers. */
  readonly maxConcurrency: number;
  /** Share of `maxConcurrency` that the seed starts. */
  readonly burst: number;
  /** Share of `maxConcurrency` that the event source starts. */
  readonly scaled: number;
}

/** @throws FanfoldPropsError when a prop is out of range */
export function limitsOf(scope: Construct, props: FanfoldProps): Limits {
  const { memorySize = 1024, maxConcurrency = 100, reservedConcurrentExecutions } = props;
  const { timeout = Duration.seconds(LONGEST_SECONDS) } = props;
  checkRange(scope, 'memorySize', memorySize, 128, 10_240);
  checkRange(scope, 'maxConcurrency', maxConcurrency, FEWEST_SCALED, 1000);
  checkTimeout(scope, timeout);
  if (Token.isUnresolved(props.burst)) {
    refuse(
      scope,
      '`burst` must be known at synthesis: the event source gets the rest of `maxConcurrency`.',
    );
  }
  if (Token.isUnresolved(maxConcurrency)) {
    if (props.burst)
      refuse(scope, '`burst` requires a `maxConcurrency` that is known at synthesis.');
    checkReserved(scope, reservedConcurrentExecutions, FEWEST_SCALED);
    return { memorySize, timeout, maxConcurrency, burst: 0, scaled: maxConcurrency };
  }
  const most = maxConcurrency - FEWEST_SCALED;
  const { burst = Math.min(100, Math.floor(maxConcurrency / 2), most) } = props;
  checkRange(scope, 'burst', burst, 0, most);
  const scaled = maxConcurrency - burst;
  checkReserved(scope, reservedConcurrentExecutions, scaled);
  return { memorySize, timeout, maxConcurrency, burst, scaled };
}

function checkReserved(scope: Construct, reserved: number | undefined, scaled: number): void {
  if (reserved === undefined) return;
  checkRange(scope, 'reservedConcurrentExecutions', reserved, scaled, 10_000);
}

function checkTimeout(scope: Construct, timeout: Duration): void {
  if (timeout.isUnresolved()) {
    refuse(
      scope,
      "`timeout` must be known at synthesis: the task queue's visibility timeout is a minute longer.",
    );
  }
  checkSeconds(scope, 'timeout', timeout, SHORTEST_SECONDS, LONGEST_SECONDS);
}

/** @throws FanfoldPropsError when a Duration is out of range, or not in whole seconds */
export function checkSeconds(
  scope: Construct,
  prop: string,
  duration: Duration,
  from: number,
  to: number,
): void {
  if (duration.isUnresolved()) return;
  const seconds = duration.toSeconds({ integral: false });
  if (Number.isInteger(seconds) && seconds >= from && seconds <= to) return;
  refuse(
    scope,
    `\`${prop}\` must be a Duration of whole seconds, from ${from} to ${to}; got ${seconds}.`,
  );
}

/** Refuses values that CloudFormation would reject, or that CDK would silently ignore. */
export function checkOptions(scope: Construct, props: FanfoldProps): void {
  const { logRetention, logLevel, tracing, removalPolicy, vpc, vpcSubnets, securityGroups } = props;
  // A numeric enum also has its names as keys.
  const isKept = typeof logRetention === 'number' && RetentionDays[logRetention] !== undefined;
  if (logRetention !== undefined && !isKept) {
    refuse(
      scope,
      `\`logRetention\` must be one of RetentionDays, the numbers of days that CloudWatch supports; got ${shown(logRetention)}.`,
    );
  }
  checkOneOf(scope, 'logLevel', LOG_LEVELS, logLevel);
  checkOneOf(scope, 'reserveBurst', [true, false], props.reserveBurst);
  checkOneOf(scope, 's3Results', [true, false], props.s3Results);
  checkOneOf(scope, 'tracing', Object.values(Tracing), tracing);
  const expected = '`removalPolicy` must be DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE';
  if (removalPolicy === RemovalPolicy.SNAPSHOT) {
    refuse(scope, `${expected}; got SNAPSHOT, but queues, logs and buckets have no snapshots.`);
  }
  if (removalPolicy !== undefined && !Object.values(RemovalPolicy).includes(removalPolicy)) {
    refuse(scope, `${expected}, of the CDK's RemovalPolicy; got ${shown(removalPolicy)}.`);
  }
  if (vpc === undefined && (vpcSubnets ?? securityGroups) !== undefined) {
    const prop = vpcSubnets === undefined ? 'securityGroups' : 'vpcSubnets';
    refuse(scope, `\`${prop}\` requires \`vpc\`: give the VPC that it belongs to.`);
  }
}

function checkOneOf<T>(
  scope: Construct,
  prop: keyof FanfoldProps,
  values: readonly T[],
  value: T | undefined,
): void {
  if (value === undefined || values.includes(value)) return;
  refuse(scope, `\`${prop}\` must be one of ${values.join(', ')}; got ${shown(value)}.`);
}

function checkRange(
  scope: Construct,
  prop: keyof FanfoldProps,
  value: number,
  from: number,
  to: number,
): void {
  if (Token.isUnresolved(value)) return;
  if (Number.isInteger(value) && value >= from && value <= to) return;
  refuse(scope, `\`${prop}\` must be a whole number from ${from} to ${to}; got ${shown(value)}.`);
}

/** At most 40 characters, since a queue name has at most 80 and must contain a run id. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

/** With such a name, a deployment's queues could match the policies for another's runs. */
const LIKE_A_RUN = /-run(-|$)/;

export function checkedName(scope: Construct, given: string | undefined): string {
  const name = given ?? Stack.of(scope).stackName;
  if (NAME.test(name) && !LIKE_A_RUN.test(name)) return name;
  if (NAME.test(name)) {
    refuse(
      scope,
      `a deployment's name must not end in "-run" or contain "-run-", which names of run queues contain; got "${name}". Give the construct another \`name\`.`,
    );
  }
  refuse(
    scope,
    `a deployment's name must be 1 to 40 letters, digits, "-" and "_", and start with a letter or digit; got ${given === undefined ? `the stack's name "${name}" (${name.length} characters). Give the construct a \`name\` of its own.` : `"${name}" (${name.length} characters).`}`,
  );
}
