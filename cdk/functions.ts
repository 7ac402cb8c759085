import { Duration, RemovalPolicy, Stack, Tokenization } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  ApplicationLogLevel,
  Architecture,
  type CfnFunction,
  Code,
  type CodeConfig,
  type EventSourceMapping,
  type FunctionOptions,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { urlOf } from './bucket-places.ts';
import type { BundledCode } from './bundling.ts';
import { type Granted, grantCollector, grantSeed, grantWorker } from './grants.ts';
import type { BucketPrefix, FanfoldProps, Limits } from './props.ts';
import { allowRecursion } from './recursion.ts';
import { checkEnvironmentSize } from './variables.ts';

/** Lambda's longest. Larger objects are seeded by several invocations in sequence. */
const SEED_TIMEOUT = Duration.minutes(15);

/** Maximum age of a seed event: a run whose first page arrives later is not given a queue. */
const SEED_EVENT_AGE = Duration.hours(1);

/** A burst worker that starts later is useless: the event source has scaled up by then. */
const BURST_EVENT_AGE = Duration.seconds(60);

/** Lambda's longest. A collector that is started late still has the results, which wait on SQS. */
const COLLECTOR_EVENT_AGE = Duration.hours(6);

/** Lambda's longest. A collector of a longer run starts its successor. */
const COLLECTOR_TIMEOUT = Duration.minutes(15);

export interface FunctionsOptions extends Limits {
  name: string;
  props: FanfoldProps;
  environment: Record<string, string>;
  queues: Granted['queues'];
  runQueues: string;
  inputs: readonly BucketPrefix[];
  bucket: IBucket;
  /** Places that results may be written to; none if no function collects them. */
  resultPlaces: readonly BucketPrefix[];
  seedCode: BundledCode;
  workerCode: BundledCode;
  collectorCode: BundledCode | undefined;
}

/** A deployment's functions, with their roles, permissions and logs. */
export class Functions {
  readonly seed: NodejsFunction;
  readonly worker: NodejsFunction;
  readonly burst: LambdaFunction | undefined;
  readonly collector: NodejsFunction | undefined;
  readonly eventSource: EventSourceMapping;
  readonly laneEventSource: EventSourceMapping;
  readonly seedRole: Role;
  readonly workerRole: Role;
  readonly collectorRole: Role | undefined;
  readonly seedLogs: LogGroup;
  readonly workerLogs: LogGroup;
  readonly burstLogs: LogGroup | undefined;
  readonly collectorLogs: LogGroup | undefined;
  readonly #scope: Construct;
  readonly #options: FunctionsOptions;

  constructor(scope: Construct, options: FunctionsOptions) {
    this.#scope = scope;
    this.#options = options;
    this.seedRole = this.#role('SeedRole');
    this.workerRole = this.#role('WorkerRole');
    this.seedLogs = this.#logs('Seed', 'seed', this.seedRole);
    this.workerLogs = this.#logs('Worker', 'worker', this.workerRole);
    this.burstLogs = options.burst > 0 ? this.#logs('Burst', 'burst', this.workerRole) : undefined;
    this.seed = this.#seed();
    this.worker = this.#worker();
    this.burst = this.burstLogs && this.#burst(this.burstLogs);
    const { collectorCode } = options;
    if (collectorCode) {
      this.collectorRole = this.#role('CollectorRole');
      this.collectorLogs = this.#logs('Collector', 'collector', this.collectorRole);
      this.collector = this.#collector(collectorCode, this.collectorRole, this.collectorLogs);
    }
    const { tasks, lanes } = options.queues;
    this.eventSource = this.#eventSource('TaskQueue', tasks);
    this.laneEventSource = this.#eventSource('LaneQueue', lanes);
    // Workers send further attempts and unstarted inputs back to the queue that they receive from.
    // The seed, burst workers and collectors invoke themselves to continue.
    const others = [this.burst, this.collector].filter((one) => one !== undefined);
    allowRecursion(scope, [this.seed, this.worker, ...others]);
    const { vpc, encryptionKey } = options.props;
    const granted = { ...options, encryptionKey, isInVpc: vpc !== undefined };
    grantSeed(this.seedRole, granted);
    grantWorker(this.workerRole, granted);
    if (this.collectorRole) grantCollector(this.collectorRole, granted);
  }

  /** Makes a role, because the one that CDK would make can write to any log group. */
  #role(id: string): Role {
    return new Role(this.#scope, id, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  }

  #logs(id: string, suffix: string, role: Role): LogGroup {
    const { name, props } = this.#options;
    const { logRetention = RetentionDays.ONE_MONTH, removalPolicy = RemovalPolicy.DESTROY } = props;
    const logs = new LogGroup(this.#scope, `${id}Logs`, {
      logGroupName: `/aws/lambda/${name}-${suffix}`,
      retention: logRetention,
      removalPolicy,
    });
    logs.grantWrite(role);
    return logs;
  }

  #seed(): NodejsFunction {
    const { name, maxConcurrency, burst, seedCode, environment } = this.#options;
    return new NodejsFunction(this.#scope, 'Seed', {
      ...seedCode,
      // The seed loads the tasks module too, which may read its variables while loading.
      ...this.#common('seed', this.seedRole, this.seedLogs, {
        ...environment,
        // The value may be known only at deployment.
        FANFOLD_WORKERS: Tokenization.stringifyNumber(maxConcurrency),
        ...(burst > 0 ? { FANFOLD_BURST: String(burst) } : {}),
        ...this.#placesVariable(),
      }),
      description: `Cuts the inputs of ${name}'s runs into chunks and queues them.`,
      timeout: SEED_TIMEOUT,
      memorySize: 1024,
      maxEventAge: SEED_EVENT_AGE,
      retryAttempts: 2,
    });
  }

  #worker(): NodejsFunction {
    const { name, workerCode, memorySize, timeout, environment, props } = this.#options;
    const { reservedConcurrentExecutions } = props;
    return new NodejsFunction(this.#scope, 'Worker', {
      ...workerCode,
      ...this.#common('worker', this.workerRole, this.workerLogs, environment),
      ...this.#network(),
      ...(reservedConcurrentExecutions === undefined ? {} : { reservedConcurrentExecutions }),
      description: `Runs ${name}'s tasks over chunks of inputs and reports their results.`,
      timeout,
      memorySize,
    });
  }

  #eventSource(id: string, { queueArn }: IQueue): EventSourceMapping {
    return this.worker.addEventSourceMapping(id, {
      eventSourceArn: queueArn,
      batchSize: 1,
      reportBatchItemFailures: true,
      maxConcurrency: this.#options.scaled,
    });
  }

  /** Makes the burst function from the worker's asset. */
  #burst(logs: LogGroup): LambdaFunction {
    const { name, burst, memorySize, timeout, environment, props } = this.#options;
    return new LambdaFunction(this.#scope, 'Burst', {
      ...this.#common('burst', this.workerRole, logs, environment),
      // In the worker's security groups, so that rules for the worker apply here too.
      ...this.#network(() => this.worker.connections.securityGroups),
      code: new CodeOf(this.worker),
      handler: 'index.burst',
      description: `Runs ${name}'s tasks over chunks that it receives itself; the seed starts it.`,
      timeout,
      memorySize,
      ...(props.reserveBurst ? { reservedConcurrentExecutions: burst } : {}),
      maxEventAge: BURST_EVENT_AGE,
      retryAttempts: 0,
    });
  }

  /** Makes the collector function, outside of the VPC: it runs no code of the user's. */
  #collector(code: BundledCode, role: Role, logs: LogGroup): NodejsFunction {
    return new NodejsFunction(this.#scope, 'Collector', {
      ...code,
      ...this.#common('collector', role, logs, this.#placesVariable()),
      description: `Writes the results of ${this.#options.name}'s runs to S3.`,
      timeout: COLLECTOR_TIMEOUT,
      memorySize: 1024,
      maxEventAge: COLLECTOR_EVENT_AGE,
      retryAttempts: 2,
    });
  }

  /** The places that results may be written to: requests that name another one are refused. */
  #placesVariable(): Record<string, string> {
    const { resultPlaces } = this.#options;
    if (resultPlaces.length === 0) return {};
    return { FANFOLD_RESULT_PLACES: Stack.of(this.#scope).toJsonString(resultPlaces.map(urlOf)) };
  }

  #common(suffix: string, role: Role, logGroup: LogGroup, environment: Record<string, string>) {
    const { name, props, queues, bucket } = this.#options;
    const { logLevel = 'INFO' } = props;
    const variables = {
      ...environment,
      FANFOLD_NAME: name,
      // Saves a claim the lookup of the queue.
      FANFOLD_TASK_QUEUE_URL: queues.tasks.queueUrl,
      FANFOLD_BUCKET: bucket.bucketName,
      POWERTOOLS_SERVICE_NAME: name,
      POWERTOOLS_METRICS_NAMESPACE: 'Fanfold',
      POWERTOOLS_LOG_LEVEL: logLevel,
      NODE_OPTIONS: ['--enable-source-maps', environment.NODE_OPTIONS].filter(Boolean).join(' '),
    };
    // CloudFormation inserts the URL at deployment; it is at least this long.
    const shortest = `https://sqs.us-east-1.amazonaws.com/123456789012/${name}-tasks`;
    checkEnvironmentSize(this.#scope, { ...variables, FANFOLD_TASK_QUEUE_URL: shortest });
    return {
      functionName: `${name}-${suffix}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: props.architecture ?? Architecture.ARM_64,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // Lambda drops logs below its own level, INFO. A higher level would drop metrics too.
      ...(logLevel === 'DEBUG' ? { applicationLogLevelV2: ApplicationLogLevel.DEBUG } : {}),
      tracing: props.tracing ?? Tracing.ACTIVE,
      environment: variables,
    } satisfies FunctionOptions & { runtime: Runtime };
  }

  #network(otherGroups?: () => ISecurityGroup[]) {
    const { vpc, vpcSubnets, securityGroups: given } = this.#options.props;
    if (vpc === undefined) return {};
    const securityGroups = given ?? otherGroups?.();
    return {
      vpc,
      ...(vpcSubnets ? { vpcSubnets } : {}),
      ...(securityGroups ? { securityGroups } : {}),
    };
  }
}

/** The code of another function, from that function's asset. */
class CodeOf extends Code {
  readonly isInline = false;
  readonly #other: LambdaFunction;

  constructor(other: LambdaFunction) {
    super();
    this.#other = other;
  }

  override bind(): CodeConfig {
    const { code } = this.#other.node.defaultChild as CfnFunction;
    const { s3Bucket = '', s3Key = '' } = code as CfnFunction.CodeProperty;
    return { s3Location: { bucketName: s3Bucket, objectKey: s3Key } };
  }
}
