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

/** Objects of a bucket whose keys start alike. */
export interface InputPrefix {
  readonly bucket: IBucket;
  /** The start of the keys. Without a slash at its end, `inputs` is the start of `inputs-old/` too. */
  readonly prefix: string;
}

const LOG_LEVELS = ['DEBUG', 'INFO', 'WARN', 'ERROR'] as const;

export interface FanfoldProps {
  /**
   * Path of your tasks module, absolute or from the folder that the app runs in: what it exports
   * by `defineTask` can be run. esbuild puts it into the functions.
   * @default the tasks that ship: echo, sleep, sha256
   */
  readonly tasks?: string;
  /**
   * The deployment's name, which the names of all its parts begin with: 1 to 40 letters, digits,
   * `-` and `_`, starting with a letter or digit, without `-run-` in it or `-run` at its end. Unique
   * in its account and region.
   * @default the stack's name
   */
  readonly name?: string;
  /**
   * Memory of a worker, in MiB: 128 to 10240. Its share of a processor grows with it, one whole at
   * 1769.
   * @default 1024
   */
  readonly memorySize?: number;
  /**
   * How long an invocation of a worker may take: 2 to 15 minutes, in whole seconds. Longer costs nothing, as a worker
   * hands a chunk on after a minute; but no task may have a `timeoutSeconds` that does not fit.
   * @default 15 minutes
   */
  readonly timeout?: Duration;
  /**
   * The most workers at once, burst included: 2 to 1000.
   * @default 100
   */
  readonly maxConcurrency?: number;
  /**
   * How many of `maxConcurrency` the seed starts itself, so that a run need not wait until the task
   * queue has scaled: 0 to `maxConcurrency` - 2; 0 is no burst. The seed starts fewer while other
   * workers are busy.
   * @default half of `maxConcurrency`, at most 100
   */
  readonly burst?: number;
  /**
   * Reserves the concurrency of burst workers, which makes `burst` a hard limit. AWS refuses a
   * reservation that leaves the account fewer than 100 unreserved.
   * @default false: the seed counts the workers that are busy, and starts no more than are left
   */
  readonly reserveBurst?: boolean;
  /**
   * Concurrency that is reserved for the workers that the task queue starts: not below their share
   * of `maxConcurrency`.
   * @default none is reserved
   */
  readonly reservedConcurrentExecutions?: number;
  /** @default Architecture.ARM_64 */
  readonly architecture?: Architecture;
  /**
   * Environment variables for the tasks; the seed, which loads the tasks module too, gets them as
   * well. `FANFOLD_` and `POWERTOOLS_` begin Fanfold's own.
   * @default none
   */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * Where workers are to run, if they need what is in there: they then reach SQS, and for burst
   * Lambda, through a NAT or interface endpoints of it. The seed needs nothing and stays outside.
   * @default in no VPC
   */
  readonly vpc?: IVpc;
  /** @default the VPC's private subnets */
  readonly vpcSubnets?: SubnetSelection;
  /** @default a new one for all workers, that lets everything out */
  readonly securityGroups?: ISecurityGroup[];
  /**
   * Encrypts all queues, those of runs included.
   * @default keys that SQS manages
   */
  readonly encryptionKey?: IKey;
  /**
   * What becomes of queues and logs when the stack is destroyed, or they are replaced.
   * @default RemovalPolicy.DESTROY
   */
  readonly removalPolicy?: RemovalPolicy;
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays;
  /** The least that is logged, by Fanfold and by the tasks' own `log`. @default 'INFO' */
  readonly logLevel?: (typeof LOG_LEVELS)[number];
  /** X-Ray's traces of the functions. @default Tracing.ACTIVE */
  readonly tracing?: Tracing;
  /**
   * Where alarms are sent. With it, the deployment is watched, by alarms and a dashboard, as a
   * `FanfoldStack` always is.
   * @default neither: `FanfoldMonitoring` makes them
   */
  readonly alarmTopic?: ITopic;
  /**
   * Buckets that the seed may read inputs from, `s3://bucket/key`, or parts of them:
   * `{ bucket, prefix: 'inputs/' }`.
   * @default none
   */
  readonly inputBuckets?: readonly (IBucket | InputPrefix)[];
  /**
   * esbuild's further options. `format`, `mainFields` and `bundleAwsSDK` are Fanfold's own.
   * `nodeModules`, for native modules, are installed for the functions' platform, as the
   * package-lock.json or pnpm-lock.yaml nearest to the tasks module has them.
   * @default none
   */
  readonly bundling?: Omit<BundlingOptions, 'format' | 'mainFields' | 'bundleAwsSDK'>;
}

/** Lambda's longest. */
const LONGEST_SECONDS = 900;
/** A task's 60 s of default, what a worker keeps for its reports, and as much again. */
const SHORTEST_SECONDS = 120;

/** https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html#events-sqs-max-concurrency */
const FEWEST_SCALED = 2;

/** Numbers that depend on each other, checked. */
export interface Limits {
  readonly memorySize: number;
  readonly timeout: Duration;
  /** Workers at once. */
  readonly maxConcurrency: number;
  /** Of them, those that the seed starts. */
  readonly burst: number;
  /** Of them, those that the task queue starts. */
  readonly scaled: number;
}

/** @throws FanfoldPropsError when a prop is out of its range */
export function limitsOf(scope: Construct, props: FanfoldProps): Limits {
  const { memorySize = 1024, maxConcurrency = 100, reservedConcurrentExecutions } = props;
  const { timeout = Duration.seconds(LONGEST_SECONDS) } = props;
  checkRange(scope, 'memorySize', memorySize, 128, 10_240);
  checkRange(scope, 'maxConcurrency', maxConcurrency, FEWEST_SCALED, 1000);
  checkTimeout(scope, timeout);
  if (Token.isUnresolved(props.burst)) {
    refuse(
      scope,
      "`burst` must be known at synthesis: the rest of `maxConcurrency` is the event source's.",
    );
  }
  if (Token.isUnresolved(maxConcurrency)) {
    if (props.burst) refuse(scope, '`burst` needs a `maxConcurrency` that is known at synthesis.');
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

/** @throws FanfoldPropsError when a Duration is out of its range, or not of whole seconds */
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
    `\`${prop}\` is a Duration of whole seconds, from ${from} to ${to}; ${seconds} came.`,
  );
}

/** What CloudFormation would refuse, or CDK leave out without a word. */
export function checkOptions(scope: Construct, props: FanfoldProps): void {
  const { logRetention, logLevel, tracing, removalPolicy, vpc, vpcSubnets, securityGroups } = props;
  // The names of its numbers are keys as well.
  const isKept = typeof logRetention === 'number' && RetentionDays[logRetention] !== undefined;
  if (logRetention !== undefined && !isKept) {
    refuse(
      scope,
      `\`logRetention\` is one of RetentionDays; ${shown(logRetention)} came, and CloudWatch keeps logs for no such number of days.`,
    );
  }
  checkOneOf(scope, 'logLevel', LOG_LEVELS, logLevel);
  checkOneOf(scope, 'tracing', Object.values(Tracing), tracing);
  const expected = '`removalPolicy` is DESTROY, RETAIN or RETAIN_ON_UPDATE_OR_DELETE';
  if (removalPolicy === RemovalPolicy.SNAPSHOT) {
    refuse(scope, `${expected}; SNAPSHOT came, and queues and logs have no snapshots.`);
  }
  if (removalPolicy !== undefined && !Object.values(RemovalPolicy).includes(removalPolicy)) {
    refuse(scope, `${expected}, of the CDK's RemovalPolicy; ${shown(removalPolicy)} came.`);
  }
  if (vpc === undefined && (vpcSubnets ?? securityGroups) !== undefined) {
    const prop = vpcSubnets === undefined ? 'securityGroups' : 'vpcSubnets';
    refuse(scope, `\`${prop}\` came without the \`vpc\` that it is of. Give that too.`);
  }
}

function checkOneOf<T>(
  scope: Construct,
  prop: keyof FanfoldProps,
  values: readonly T[],
  value: T | undefined,
): void {
  if (value === undefined || values.includes(value)) return;
  refuse(scope, `\`${prop}\` is one of ${values.join(', ')}; ${shown(value)} came.`);
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
  refuse(scope, `\`${prop}\` is a whole number from ${from} to ${to}; ${shown(value)} came.`);
}

/** Forty characters leave a queue's name, at most eighty, room for a run's id. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

/** With such names, one deployment's queues could match the policies on another's runs. */
const LIKE_A_RUN = /-run(-|$)/;

export function checkedName(scope: Construct, given: string | undefined): string {
  const name = given ?? Stack.of(scope).stackName;
  if (NAME.test(name) && !LIKE_A_RUN.test(name)) return name;
  if (NAME.test(name)) {
    refuse(
      scope,
      `a deployment's name does not end in "-run" and does not contain "-run-", which stand in the names of runs' queues; "${name}" does. Give the construct another \`name\`.`,
    );
  }
  refuse(
    scope,
    `a deployment's name is 1 to 40 letters, digits, "-" and "_", and starts with a letter or digit; ${given === undefined ? `the stack's, "${name}" (${name.length} characters), is not. Give the construct a \`name\` of its own.` : `"${name}" (${name.length} characters) is not.`}`,
  );
}
