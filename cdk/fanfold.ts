import { ArnFormat, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import {
  type IGrantable,
  type IPrincipal,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { Architecture, RecursiveLoop, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { NodejsFunction, type NodejsFunctionProps } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Queue, QueueEncryption, type QueueProps } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { bundle } from './bundling.ts';
import { refuse } from './refuse.ts';

export interface FanfoldProps {
  /**
   * Path of your tasks module, absolute or from the folder that the app runs in: what it exports
   * by `defineTask` can be run. esbuild puts it into both functions.
   * @default the tasks that ship: echo, sleep, sha256
   */
  readonly tasks?: string;
  /**
   * The deployment's name, which the names of all its parts begin with: 1 to 40 letters, digits,
   * `-` and `_`, starting with a letter or digit. Unique in its account and region.
   * @default the stack's name
   */
  readonly name?: string;
  /**
   * Memory of the worker function, in MiB: 128 to 10240. Its share of a processor grows with it,
   * one whole at 1769.
   * @default 1024
   */
  readonly memorySize?: number;
  /**
   * The most workers that the task queue starts at once: 2 to 1000.
   * @default 100
   */
  readonly maxConcurrency?: number;
}

/** Lambda's longest. It costs nothing: a worker hands a chunk on long before, but for slow tasks. */
const WORKER_TIMEOUT = Duration.minutes(15);

/** The seed only checks, cuts and sends. */
const SEED_TIMEOUT = Duration.minutes(1);

/** SQS's longest, for tasks, results and what nobody could read alike. */
const RETENTION = Duration.days(14);

/** How long a reader of results may take over what it received, as with a run's own queue. */
const RESULT_VISIBILITY = Duration.minutes(5);

/**
 * Receives until SQS moves a task message to the dead-letter queue. High on purpose: a receive
 * count counts deliveries, and a throttled event source raises it without any worker's fault.
 */
const MAX_RECEIVE_COUNT = 100;

/**
 * A Fanfold deployment: a task queue with its dead-letter queue, a result queue, a function that
 * seeds runs and a worker function that the task queue scales.
 *
 * What is granted to it is granted to the tasks:
 *
 * ```ts
 * const fanfold = new Fanfold(stack, 'Fanfold', { tasks: 'src/tasks.ts' });
 * bucket.grantReadWrite(fanfold);
 * ```
 */
export class Fanfold extends Construct implements IGrantable {
  /** What the names of its parts begin with, and what `connect({ stack })` finds it by. */
  readonly name: string;
  /** `<name>-tasks`: chunks of inputs, for the workers. */
  readonly taskQueue: Queue;
  /** `<name>-tasks-dead`: task messages that could not be worked on. */
  readonly deadLetterQueue: Queue;
  /** `<name>-results`: results of runs that have no result queue of their own. */
  readonly resultQueue: Queue;
  /** `<name>-seed`: takes inputs, cuts them into chunks, queues them. */
  readonly seedFunction: NodejsFunction;
  /** `<name>-worker`: runs tasks over chunks. */
  readonly workerFunction: NodejsFunction;
  /** The worker function's role: tasks run as it. */
  readonly grantPrincipal: IPrincipal;

  /** @throws FanfoldPropsError when a prop is out of its range */
  constructor(scope: Construct, id: string, props: FanfoldProps = {}) {
    super(scope, id);
    const { tasks, memorySize = 1024, maxConcurrency = 100 } = props;
    this.name = checkedName(this, props.name);
    checkRange(this, 'memorySize', memorySize, 128, 10_240);
    checkRange(this, 'maxConcurrency', maxConcurrency, 2, 1000);

    this.deadLetterQueue = this.#queue('DeadLetterQueue', 'tasks-dead');
    this.taskQueue = this.#queue('TaskQueue', 'tasks', {
      // Six function timeouts, as AWS advises: throttled deliveries need the time. A worker that
      // dies is noticed sooner, by its claim on the message.
      // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
      visibilityTimeout: Duration.seconds(6 * WORKER_TIMEOUT.toSeconds()),
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
    this.resultQueue = this.#queue('ResultQueue', 'results', {
      visibilityTimeout: RESULT_VISIBILITY,
      receiveMessageWaitTime: Duration.seconds(20),
    });

    this.seedFunction = this.#function('Seed', 'seed', {
      ...bundle(this, 'seed', tasks),
      description: 'Cuts the inputs of a run into chunks and queues them.',
      timeout: SEED_TIMEOUT,
      memorySize: 1024,
    });
    this.workerFunction = this.#function('Worker', 'worker', {
      ...bundle(this, 'worker', tasks),
      description: 'Runs tasks over chunks of inputs and reports what became of each.',
      timeout: WORKER_TIMEOUT,
      memorySize,
      // It sends further attempts, and what it has not started, back to the queue it takes from.
      recursiveLoop: RecursiveLoop.ALLOW,
    });
    this.workerFunction.addEventSource(
      new SqsEventSource(this.taskQueue, {
        batchSize: 1,
        reportBatchItemFailures: true,
        maxConcurrency,
      }),
    );
    this.grantPrincipal = this.workerFunction.grantPrincipal;
    this.#grantQueues();
  }

  #queue(id: string, suffix: string, props: QueueProps = {}): Queue {
    return new Queue(this, id, {
      queueName: `${this.name}-${suffix}`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: RETENTION,
      ...props,
    });
  }

  #function(id: string, suffix: string, props: NodejsFunctionProps): NodejsFunction {
    const functionName = `${this.name}-${suffix}`;
    const logGroup = new LogGroup(this, `${id}Logs`, {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // A role of its own, because the one that CDK would make may write to any log group.
    const role = new Role(this, `${id}Role`, {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    });
    logGroup.grantWrite(role);
    return new NodejsFunction(this, id, {
      functionName,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      role,
      logGroup,
      tracing: Tracing.ACTIVE,
      environment: { FANFOLD_NAME: this.name, NODE_OPTIONS: '--enable-source-maps' },
      ...props,
    });
  }

  /** What the pipeline itself asks of SQS, beside the worker's event source. */
  #grantQueues(): void {
    const runQueues = Stack.of(this).formatArn({
      service: 'sqs',
      resource: `${this.name}-run-*`,
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    });
    const allow = (to: NodejsFunction, actions: string[]) =>
      to.addToRolePolicy(new PolicyStatement({ actions, resources: [runQueues] }));

    this.taskQueue.grant(this.seedFunction, 'sqs:GetQueueUrl', 'sqs:SendMessage');
    this.resultQueue.grant(this.seedFunction, 'sqs:GetQueueUrl');
    allow(this.seedFunction, ['sqs:CreateQueue', 'sqs:GetQueueUrl', 'sqs:TagQueue']);

    for (const queue of [this.taskQueue, this.deadLetterQueue, this.resultQueue]) {
      queue.grant(this.workerFunction, 'sqs:GetQueueUrl', 'sqs:SendMessage');
    }
    allow(this.workerFunction, ['sqs:GetQueueUrl', 'sqs:SendMessage']);
  }
}

/** Forty characters leave a queue's name, at most eighty, room for a run's id. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$/;

function checkedName(scope: Construct, given: string | undefined): string {
  const name = given ?? Stack.of(scope).stackName;
  if (NAME.test(name)) return name;
  refuse(
    scope,
    `a deployment's name is 1 to 40 letters, digits, "-" and "_", and starts with a letter or digit; ${given === undefined ? `the stack's, "${name}" (${name.length} characters), is not. Give the construct a \`name\` of its own.` : `"${name}" (${name.length} characters) is not.`}`,
  );
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
  refuse(scope, `\`${prop}\` is a whole number from ${from} to ${to}; ${value} came.`);
}
