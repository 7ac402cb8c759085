import { ArnFormat, Stack, Tags } from 'aws-cdk-lib';
import type { Connections, IConnectable } from 'aws-cdk-lib/aws-ec2';
import type { OnEventOptions, Rule } from 'aws-cdk-lib/aws-events';
import type { IGrantable, IPrincipal, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import type { EventSourceMapping, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { bucketPlacesOf } from './bucket-places.ts';
import { withCode } from './code.ts';
import { Functions } from './functions.ts';
import { FanfoldMonitoring } from './monitoring.ts';
import { acknowledgeRules } from './nag.ts';
import { addOutputs } from './outputs.ts';
import { operatorPolicy, workPolicy } from './people-policies.ts';
import { checkTypes } from './prop-types.ts';
import { checkedName, checkOptions, type FanfoldProps, limitsOf } from './props.ts';
import { makeQueues } from './queues.ts';
import { checkReach } from './reach.ts';
import { refuse } from './refuse.ts';
import { BUCKET_TAG, resultPlacesOf, resultsBucket } from './results-bucket.ts';
import { runRule } from './run-events.ts';
import { checkRegion } from './same-region.ts';
import { checkedEnvironment } from './variables.ts';
import { makeWatchdog } from './watchdog.ts';

/**
 * A Fanfold deployment: a task queue with its dead-letter queue, a queue of lanes for runs with
 * bounds, a result queue, a queue that lists ended runs, a function that seeds runs, two functions
 * that run tasks, a function that collects results, and a bucket for them. Event sources scale one
 * of the functions that run tasks, and the seed starts the other at once.
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
  /** Results of runs, below `runs/`, and inputs and outputs that do not fit in a message. */
  readonly bucket: IBucket;
  /** `<name>-seed`: cuts inputs into chunks and sends them. */
  readonly seedFunction: NodejsFunction;
  /** `<name>-worker`: runs tasks over chunks that the event source delivers. */
  readonly workerFunction: NodejsFunction;
  /** `<name>-burst`: runs tasks over chunks that it receives itself; undefined if `burst` is 0. */
  readonly burstFunction: LambdaFunction | undefined;
  /** `<name>-collector`: writes the results of runs to S3; undefined if `s3Results` is false. */
  readonly collectorFunction: NodejsFunction | undefined;
  /** Delivers the task queue's chunks to the worker function. */
  readonly eventSource: EventSourceMapping;
  /** Delivers the lanes' chunks to the worker function. */
  readonly laneEventSource: EventSourceMapping;
  /** Role of the seed function. */
  readonly seedRole: Role;
  /** Role of the tasks, in the worker and burst functions. */
  readonly workerRole: Role;
  /** Role of the collector function; undefined if `s3Results` is false. */
  readonly collectorRole: Role | undefined;
  /** Logs of the seed function. */
  readonly seedLogs: LogGroup;
  /** Logs of the worker function. */
  readonly workerLogs: LogGroup;
  /** Logs of the burst function; undefined if `burst` is 0. */
  readonly burstLogs: LogGroup | undefined;
  /** Logs of the collector function; undefined if `s3Results` is false. */
  readonly collectorLogs: LogGroup | undefined;
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
    checkRegion(this, 'bucket', props.bucket);
    checkReach(this, vpc, vpcSubnets, limits.burst > 0 ? ['sqs', 'lambda'] : ['sqs']);
    const inputs = bucketPlacesOf(this, 'inputBuckets', props.inputBuckets);
    const runQueues = this.#runQueues();

    const queues = makeQueues(this, { name: this.name, props, timeout: limits.timeout });
    this.taskQueue = queues.tasks;
    this.laneQueue = queues.lanes;
    this.deadLetterQueue = queues.dead;
    this.resultQueue = queues.results;
    this.endedQueue = queues.ended;
    this.bucket = resultsBucket(this, props);
    Tags.of(this.taskQueue).add(BUCKET_TAG, this.bucket.bucketName);
    const resultPlaces = resultPlacesOf(this, props, this.bucket);

    const options = {
      ...limits,
      name: this.name,
      props,
      environment,
      queues,
      runQueues,
      inputs,
      bucket: this.bucket,
      resultPlaces,
    };
    const functions = withCode(
      this,
      { props, timeout: limits.timeout },
      (codes) => new Functions(this, { ...options, ...codes }),
    );
    this.seedFunction = functions.seed;
    this.workerFunction = functions.worker;
    this.burstFunction = functions.burst;
    this.collectorFunction = functions.collector;
    this.eventSource = functions.eventSource;
    this.laneEventSource = functions.laneEventSource;
    this.seedRole = functions.seedRole;
    this.workerRole = functions.workerRole;
    this.collectorRole = functions.collectorRole;
    this.seedLogs = functions.seedLogs;
    this.workerLogs = functions.workerLogs;
    this.burstLogs = functions.burstLogs;
    this.collectorLogs = functions.collectorLogs;
    this.grantPrincipal = this.workerRole;
    if (this.collectorFunction) makeWatchdog(this, this.name, this.collectorFunction);
    const { seedFunction, workerFunction, burstFunction, collectorFunction } = this;
    const { seedLogs, workerLogs, burstLogs, collectorLogs } = this;
    const parts = {
      name: this.name,
      taskQueue: this.taskQueue,
      laneQueue: this.laneQueue,
      deadLetterQueue: this.deadLetterQueue,
      resultQueue: this.resultQueue,
      endedQueue: this.endedQueue,
      seedFunction,
      functions: existing(seedFunction, workerFunction, burstFunction, collectorFunction),
      logs: existing(seedLogs, workerLogs, burstLogs, collectorLogs),
      runQueues,
      encryptionKey,
      bucket: this.bucket,
      resultPlaces,
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
      collectorRole: this.collectorRole,
      bucket: this.bucket,
      operatorPolicy: this.operatorPolicy,
      workPolicy: this.workPolicy,
      runQueues,
      inputs,
      resultPlaces,
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

  /**
   * Makes a rule for the start of runs with results in S3. Its `eventPattern` can restrict the
   * runs, such as to one task.
   *
   * @throws FanfoldPropsError when `s3Results` is false
   */
  onRunStarted(id: string, options: OnEventOptions = {}): Rule {
    return runRule(this, id, 'Fanfold Run Started', options);
  }

  /**
   * Makes a rule for the end of runs with results in S3, whose manifest exists by then:
   *
   * ```ts
   * fanfold.onRunEnded('Mail', { target: new SnsTopic(topic) });
   * ```
   *
   * @throws FanfoldPropsError when `s3Results` is false
   */
  onRunEnded(id: string, options: OnEventOptions = {}): Rule {
    return runRule(this, id, 'Fanfold Run Ended', options);
  }

  /** Adds outputs that name the deployment's parts. @param scope their construct */
  output(scope: Construct = Stack.of(this)): void {
    addOutputs(scope, this);
  }
}

/** The parts that are there: some are left out by a prop. */
function existing<Part>(...parts: (Part | undefined)[]): Part[] {
  return parts.filter((part) => part !== undefined);
}
