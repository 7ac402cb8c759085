import { ArnFormat, Duration, RemovalPolicy, Stack, Tokenization } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  type CfnFunction,
  Code,
  type CodeConfig,
  type EventSourceMapping,
  Function as LambdaFunction,
  type FunctionOptions,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { BundledCode } from './bundling.ts';
import type { FanfoldProps, Limits } from './props.ts';

/** Lambda's longest: a long object is seeded by one invocation after the other. */
const SEED_TIMEOUT = Duration.minutes(15);

/** A run whose first page comes later is not given a queue any more. */
const SEED_EVENT_AGE = Duration.hours(1);

/** A burst worker that can't start soon is none: the task queue's own scaling is there by then. */
const BURST_EVENT_AGE = Duration.seconds(60);

export interface FunctionsOptions extends Limits {
  name: string;
  props: FanfoldProps;
  environment: Record<string, string>;
  queues: { tasks: Queue; dead: Queue; results: Queue };
  /** ARN, with a wildcard, of runs' own queues. */
  runQueues: string;
  seedCode: BundledCode;
  workerCode: BundledCode;
}

/** A deployment's functions, with their roles and logs, and what they are allowed to do. */
export class Functions {
  readonly seed: NodejsFunction;
  readonly worker: NodejsFunction;
  readonly burst: LambdaFunction | undefined;
  readonly eventSource: EventSourceMapping;
  readonly seedRole: Role;
  readonly workerRole: Role;
  readonly seedLogs: LogGroup;
  readonly workerLogs: LogGroup;
  readonly burstLogs: LogGroup | undefined;
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
    this.eventSource = this.worker.addEventSourceMapping('TaskQueue', {
      eventSourceArn: options.queues.tasks.queueArn,
      batchSize: 1,
      reportBatchItemFailures: true,
      maxConcurrency: options.scaled,
    });
    this.#grantSeed();
    this.#grantWorker();
  }

  /** A role of its own, because the one that CDK would make may write to any log group. */
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
      // It knows tasks from the same module, which may want its variables as soon as it is loaded.
      ...this.#common('seed', this.seedRole, this.seedLogs, {
        ...environment,
        // It may be known at deployment only.
        FANFOLD_WORKERS: Tokenization.stringifyNumber(maxConcurrency),
        ...(burst > 0 ? { FANFOLD_BURST: String(burst) } : {}),
      }),
      description: `Cuts the inputs of ${name}'s runs into chunks and queues them.`,
      timeout: SEED_TIMEOUT,
      memorySize: 1024,
      maxEventAge: SEED_EVENT_AGE,
      retryAttempts: 2,
      // It goes on by itself with what does not fit into one invocation.
      recursiveLoop: RecursiveLoop.ALLOW,
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
      description: `Runs ${name}'s tasks over chunks of inputs and reports what became of each.`,
      timeout,
      memorySize,
      // It sends further attempts, and what it has not started, back to the queue it takes from.
      recursiveLoop: RecursiveLoop.ALLOW,
    });
  }

  /** The worker's code once more, from the same asset. */
  #burst(logs: LogGroup): LambdaFunction {
    const { name, burst, memorySize, timeout, environment } = this.#options;
    return new LambdaFunction(this.#scope, 'Burst', {
      ...this.#common('burst', this.workerRole, logs, environment),
      // In the worker's security groups: whoever lets in the one lets in the other.
      ...this.#network(() => this.worker.connections.securityGroups),
      code: new CodeOf(this.worker),
      handler: 'index.burst',
      description: `Runs ${name}'s tasks over chunks that it takes itself: started by the seed.`,
      timeout,
      memorySize,
      reservedConcurrentExecutions: burst,
      maxEventAge: BURST_EVENT_AGE,
      retryAttempts: 0,
      recursiveLoop: RecursiveLoop.ALLOW,
    });
  }

  #common(suffix: string, role: Role, logGroup: LogGroup, environment: Record<string, string>) {
    const { name, props } = this.#options;
    return {
      functionName: `${name}-${suffix}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: props.architecture ?? Architecture.ARM_64,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      environment: {
        ...environment,
        FANFOLD_NAME: name,
        POWERTOOLS_SERVICE_NAME: name,
        POWERTOOLS_METRICS_NAMESPACE: 'Fanfold',
        POWERTOOLS_LOG_LEVEL: 'INFO',
        NODE_OPTIONS: ['--enable-source-maps', environment.NODE_OPTIONS].filter(Boolean).join(' '),
      },
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

  #grantSeed(): void {
    const { queues, runQueues, props, burst } = this.#options;
    const { encryptionKey, inputBuckets = [] } = props;
    queues.tasks.grant(this.seedRole, 'sqs:GetQueueUrl', 'sqs:SendMessage');
    // A run's own queue is made like this one.
    queues.results.grant(this.seedRole, 'sqs:GetQueueUrl', 'sqs:GetQueueAttributes');
    this.#allow(this.seedRole, ['sqs:CreateQueue', 'sqs:GetQueueUrl', 'sqs:TagQueue'], [runQueues]);
    encryptionKey?.grant(this.seedRole, 'kms:GenerateDataKey', 'kms:Decrypt');
    if (burst > 0) this.#mayInvoke(this.seedRole, 'burst');
    if (inputBuckets.length === 0) return;
    this.#mayInvoke(this.seedRole, 'seed');
    // It tells a run's collector when its inputs turn out to be unreadable.
    this.#allow(this.seedRole, ['sqs:SendMessage'], [runQueues]);
    this.#allow(
      this.seedRole,
      ['s3:GetObject'],
      inputBuckets.map((bucket) => bucket.arnForObjects('*')),
    );
    // Without it, a missing object looks like one that may not be read.
    this.#allow(
      this.seedRole,
      ['s3:ListBucket'],
      inputBuckets.map(({ bucketArn }) => bucketArn),
    );
    for (const { encryptionKey: key } of inputBuckets) key?.grant(this.seedRole, 'kms:Decrypt');
  }

  /** As one that is scaled, one that was started, or both: they are one role. */
  #grantWorker(): void {
    const { queues, runQueues, props, burst } = this.#options;
    const role = this.workerRole;
    queues.tasks.grant(
      role,
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
      // Of the event source.
      'sqs:GetQueueAttributes',
      'sqs:SendMessage',
    );
    queues.dead.grant(role, 'sqs:GetQueueUrl', 'sqs:SendMessage');
    queues.results.grant(role, 'sqs:GetQueueUrl', 'sqs:SendMessage');
    this.#allow(role, ['sqs:GetQueueUrl', 'sqs:SendMessage'], [runQueues]);
    props.encryptionKey?.grant(role, 'kms:GenerateDataKey', 'kms:Decrypt');
    if (burst > 0) this.#mayInvoke(role, 'burst');
    if (props.vpc === undefined) return;
    // https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: they know no resources.
    this.#allow(
      role,
      [
        'ec2:CreateNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeSubnets',
        'ec2:DeleteNetworkInterface',
        'ec2:AssignPrivateIpAddresses',
        'ec2:UnassignPrivateIpAddresses',
      ],
      ['*'],
    );
  }

  /** By its name: a function's own ARN in its role's policy would be a circle. */
  #mayInvoke(role: Role, suffix: string): void {
    const arn = Stack.of(this.#scope).formatArn({
      service: 'lambda',
      resource: 'function',
      resourceName: `${this.#options.name}-${suffix}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.#allow(role, ['lambda:InvokeFunction'], [arn]);
  }

  #allow(role: Role, actions: string[], resources: string[]): void {
    role.addToPolicy(new PolicyStatement({ actions, resources }));
  }
}

/** Another function's code: the asset that it was put into. */
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
