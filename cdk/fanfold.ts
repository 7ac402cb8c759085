import { ArnFormat, CfnOutput, Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Connections, IConnectable } from 'aws-cdk-lib/aws-ec2';
import type { IGrantable, IPrincipal, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import type { EventSourceMapping, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  DeduplicationScope,
  FifoThroughputLimit,
  Queue,
  QueueEncryption,
  type QueueProps,
} from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { withCode } from './code.ts';
import { Functions } from './functions.ts';
import { inputPlacesOf } from './input-places.ts';
import { FanfoldMonitoring } from './monitoring.ts';
import { acknowledgeRules } from './nag.ts';
import { operatorPolicy, workPolicy } from './people-policies.ts';
import { checkTypes } from './prop-types.ts';
import { checkedName, checkOptions, type FanfoldProps, limitsOf } from './props.ts';
import { checkReach } from './reach.ts';
import { refuse } from './refuse.ts';
import { checkRegion } from './same-region.ts';
import { checkedEnvironment } from './variables.ts';

/** SQS's longest retention, for tasks, results and dead letters. */
const RETENTION = Duration.days(14);

/** Runs that have ended are listed for a day. */
const ENDED_RETENTION = Duration.days(1);

/** Time that a reader has to process received results, the same as with a run's own queue. */
const RESULT_VISIBILITY = Duration.minutes(5);

/** Difference between the task queue's visibility timeout and the worker function's timeout. */
const VISIBILITY_MARGIN = Duration.minutes(1);

/**
 * Number of receives after which SQS moves a task message to the dead-letter queue. It is high,
 * because a throttled event source raises the receive count without any worker's fault.
 */
const MAX_RECEIVE_COUNT = 100;

/** Each lane is a message group of its own, which waits for no other one. */
const LANES = {
  fifo: true,
  deduplicationScope: DeduplicationScope.MESSAGE_GROUP,
  fifoThroughputLimit: FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
};

/**
 * A Fanfold deployment: a task queue with its dead-letter queue, a queue of lanes for runs with
 * bounds, a result queue, a queue that lists ended runs, a function that seeds runs, and two
 * functions that run tasks. Event sources scale one of them, and the seed starts the other at once.
 *
 * Grants to the construct are grants to the tasks:
 *
 * ```ts
 * const fanfold = new Fanfold(stack, 'Fanfold', { tasks: 'src/tasks.ts' });
 * bucket.grantReadWrite(fanfold);
 * ```
 */
export class Fanfold extends Construct implements IGrantable, IConnectable {
  /** Prefix of the names of its parts, by which `connect({ stack })` finds it. */
  readonly name: string;
  /** `<name>-tasks`: chunks of inputs, for the workers. */
  readonly taskQueue: Queue;
  /** `<name>-tasks-dead`: task messages that could not be processed. */
  readonly deadLetterQueue: Queue;
  /** `<name>-lanes.fifo`: chunks of runs with bounds, in lanes that share the bounds. */
  readonly laneQueue: Queue;
  /** `<name>-results`: results of runs that have no result queue of their own. */
  readonly resultQueue: Queue;
  /** `<name>-ended`: lists the runs that ended in the last day. */
  readonly endedQueue: Queue;
  /** `<name>-seed`: cuts inputs into chunks and sends them. */
  readonly seedFunction: NodejsFunction;
  /** `<name>-worker`: runs tasks over chunks that the event source delivers. */
  readonly workerFunction: NodejsFunction;
  /** `<name>-burst`: runs tasks over chunks that it receives itself; undefined if `burst` is 0. */
  readonly burstFunction: LambdaFunction | undefined;
  /** Delivers the task queue's chunks to the worker function. */
  readonly eventSource: EventSourceMapping;
  /** Delivers the lanes' chunks to the worker function. */
  readonly laneEventSource: EventSourceMapping;
  /** Role of the seed function. */
  readonly seedRole: Role;
  /** Role of the tasks, in the worker and burst functions. */
  readonly workerRole: Role;
  /** Logs of the seed function. */
  readonly seedLogs: LogGroup;
  /** Logs of the worker function. */
  readonly workerLogs: LogGroup;
  /** Logs of the burst function; undefined if `burst` is 0. */
  readonly burstLogs: LogGroup | undefined;
  /** `<name>-operator-<region>`: for people who start, follow, collect and cancel runs. */
  readonly operatorPolicy: ManagedPolicy;
  /** `<name>-work-<region>`: for machines that run `fanfold work`, and people who redrive. */
  readonly workPolicy: ManagedPolicy;
  /** Alarms and a dashboard; undefined if `monitoring` is false. */
  readonly monitoring: FanfoldMonitoring | undefined;
  readonly grantPrincipal: IPrincipal;

  /** @throws FanfoldPropsError when a prop has a wrong type or is out of range */
  constructor(scope: Construct, id: string, props: FanfoldProps = {}) {
    super(scope, id);
    checkTypes(this, props);
    this.name = checkedName(this, props.name);
    this.#refuseTwin();
    const limits = limitsOf(this, props);
    const environment = checkedEnvironment(this, props.environment);
    checkOptions(this, props);
    const { alarmTopic, encryptionKey, vpc, vpcSubnets } = props;
    checkRegion(this, 'alarmTopic', alarmTopic);
    checkRegion(this, 'encryptionKey', encryptionKey);
    checkReach(this, vpc, vpcSubnets, limits.burst > 0 ? ['sqs', 'lambda'] : ['sqs']);
    const inputs = inputPlacesOf(this, props.inputBuckets);
    const runQueues = this.#runQueues();

    this.deadLetterQueue = this.#queue(props, 'DeadLetterQueue', 'tasks-dead');
    // Lambda requires at least the function's timeout, and recommends six times that for throttled
    // deliveries. Here, the timeout only applies to chunks whose worker died before its claim, such
    // as in INIT. A chunk whose delivery is throttled for so long is redelivered.
    // https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    const visibilityTimeout = limits.timeout.plus(VISIBILITY_MARGIN);
    this.taskQueue = this.#queue(props, 'TaskQueue', 'tasks', {
      visibilityTimeout,
      deadLetterQueue: { queue: this.deadLetterQueue, maxReceiveCount: MAX_RECEIVE_COUNT },
    });
    this.laneQueue = this.#queue(props, 'LaneQueue', 'lanes.fifo', { visibilityTimeout, ...LANES });
    this.resultQueue = this.#queue(props, 'ResultQueue', 'results', {
      visibilityTimeout: RESULT_VISIBILITY,
      receiveMessageWaitTime: Duration.seconds(20),
    });
    this.endedQueue = this.#queue(props, 'EndedQueue', 'ended', {
      retentionPeriod: ENDED_RETENTION,
    });

    const options = {
      ...limits,
      name: this.name,
      props,
      environment,
      queues: {
        tasks: this.taskQueue,
        lanes: this.laneQueue,
        dead: this.deadLetterQueue,
        results: this.resultQueue,
      },
      runQueues,
      inputs,
    };
    const functions = withCode(
      this,
      { props, timeout: limits.timeout },
      (codes) => new Functions(this, { ...options, ...codes }),
    );
    this.seedFunction = functions.seed;
    this.workerFunction = functions.worker;
    this.burstFunction = functions.burst;
    this.eventSource = functions.eventSource;
    this.laneEventSource = functions.laneEventSource;
    this.seedRole = functions.seedRole;
    this.workerRole = functions.workerRole;
    this.seedLogs = functions.seedLogs;
    this.workerLogs = functions.workerLogs;
    this.burstLogs = functions.burstLogs;
    this.grantPrincipal = this.workerRole;
    const { seedFunction, workerFunction, burstFunction, seedLogs, workerLogs, burstLogs } = this;
    const parts = {
      name: this.name,
      taskQueue: this.taskQueue,
      laneQueue: this.laneQueue,
      deadLetterQueue: this.deadLetterQueue,
      resultQueue: this.resultQueue,
      endedQueue: this.endedQueue,
      seedFunction,
      functions: [seedFunction, workerFunction, ...(burstFunction ? [burstFunction] : [])],
      logs: [seedLogs, workerLogs, ...(burstLogs ? [burstLogs] : [])],
      runQueues,
      encryptionKey,
    };
    this.operatorPolicy = operatorPolicy(this, parts);
    this.workPolicy = workPolicy(this, parts);
    if (props.monitoring ?? true) {
      const notified = alarmTopic ? { alarmTopic } : {};
      this.monitoring = new FanfoldMonitoring(this, 'Monitoring', { fanfold: this, ...notified });
      this.output(this);
    } else if (alarmTopic) {
      refuse(
        this,
        '`alarmTopic` is notified by the alarms that `monitoring: false` turns off: leave one of them out.',
      );
    }
    acknowledgeRules(this, {
      laneQueue: this.laneQueue,
      resultQueue: this.resultQueue,
      endedQueue: this.endedQueue,
      seedRole: this.seedRole,
      workerRole: this.workerRole,
      operatorPolicy: this.operatorPolicy,
      workPolicy: this.workPolicy,
      runQueues,
      inputs,
      encryptionKey,
      isInVpc: vpc !== undefined,
    });
  }

  /**
   * Network connections of the workers: `database.connections.allowDefaultPortFrom(fanfold)`.
   * @throws CDK's error when they are not in a VPC
   */
  get connections(): Connections {
    return this.workerFunction.connections;
  }

  /** Refuses a second deployment of the same name, whose parts would all have the same names. */
  #refuseTwin(): void {
    const { account, region } = Stack.of(this);
    const twin = this.node.root.node
      .findAll()
      .find(
        (one) =>
          one instanceof Fanfold &&
          one !== this &&
          one.name === this.name &&
          Stack.of(one).account === account &&
          Stack.of(one).region === region,
      );
    if (twin === undefined) return;
    refuse(
      this,
      `${twin.node.path} also has the name "${this.name}", and may be in the same account and region. Give one of them another \`name\`, or give their stacks an \`env\`.`,
    );
  }

  /** ARN pattern of runs' own queues, which matches only run ids. */
  #runQueues(): string {
    return Stack.of(this).formatArn({
      service: 'sqs',
      resource: `${this.name}-run-????????T?????????-*`,
      arnFormat: ArnFormat.NO_RESOURCE_NAME,
    });
  }

  #queue(
    { encryptionKey, removalPolicy = RemovalPolicy.DESTROY }: FanfoldProps,
    id: string,
    suffix: string,
    props: QueueProps = {},
  ): Queue {
    return new Queue(this, id, {
      queueName: `${this.name}-${suffix}`,
      ...(encryptionKey
        ? { encryption: QueueEncryption.KMS, encryptionMasterKey: encryptionKey }
        : { encryption: QueueEncryption.SQS_MANAGED }),
      enforceSSL: true,
      retentionPeriod: RETENTION,
      removalPolicy,
      ...props,
    });
  }

  /** Adds outputs that name the deployment's parts. @param scope their construct */
  output(scope: Construct = Stack.of(this)): void {
    const output = (id: string, description: string, value: string) =>
      new CfnOutput(scope, id, { description, value });
    output('TaskQueueUrl', 'Chunks of inputs wait here.', this.taskQueue.queueUrl);
    output(
      'DeadLetterQueueUrl',
      'Task messages that no worker could process.',
      this.deadLetterQueue.queueUrl,
    );
    output(
      'ResultQueueUrl',
      'Results of runs that have no queue of their own.',
      this.resultQueue.queueUrl,
    );
    output('SeedFunctionName', 'Invoke it to start a run.', this.seedFunction.functionName);
    output('WorkerFunctionName', 'Runs the tasks.', this.workerFunction.functionName);
    output(
      'OperatorPolicyArn',
      'For people who run tasks and collect results with the command line.',
      this.operatorPolicy.managedPolicyArn,
    );
    output(
      'WorkPolicyArn',
      'For machines that run workers, and for people who redrive.',
      this.workPolicy.managedPolicyArn,
    );
  }
}
