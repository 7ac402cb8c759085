import { createLambdaClient, Lambda } from '../../src/emulator/lambda/index.ts';
import { Sqs } from '../../src/emulator/sqs/index.ts';
import type { Service } from '../../src/emulator/transport/index.ts';
import { collectorHandler } from '../../src/handlers/collector.ts';
import type { LambdaContext } from '../../src/handlers/environment.ts';
import { seedHandler } from '../../src/handlers/seed.ts';
import { type SqsEvent, workerHandler } from '../../src/handlers/worker.ts';
import { type Names, namesOf } from '../../src/pipeline/names.ts';
import { startFunction } from '../../src/pipeline/run/call-function.ts';
import { Payloads } from '../../src/pipeline/run/payloads.ts';
import { Worker } from '../../src/pipeline/working/worker.ts';
import { TaskRegistry } from '../../src/task-registry.ts';
import type { Random } from '../../src/worlds/planned/random.ts';
import { type Actor, FATE } from './actors.ts';
import { connectClients, eventsClient, lambdaClient, s3Client, sqsClient } from './clients.ts';
import { maySetClock } from './clocks.ts';
import { Consumer } from './consumer.ts';
import { Environments } from './environments.ts';
import type { EventLog } from './event-log.ts';
import { Executions } from './executions.ts';
import { Faults } from './faults.ts';
import { FaultyLambda } from './faulty-lambda.ts';
import { FaultyObjects } from './faulty-objects.ts';
import { FaultySqs } from './faulty-sqs.ts';
import { Operator } from './operator.ts';
import { after } from './pause.ts';
import { PullWorkers } from './pull-workers.ts';
import { hasBucket, hasWholeSlices, isCalm, type RunPlan, type Scenario } from './scenario.ts';
import { ask, readAnswer } from './sqs-call.ts';
import { StoredConsumer } from './stored-consumer.ts';
import { BUCKET, PLACE, StoredResults } from './stored-results.ts';
import { simulatedTask } from './task.ts';
import { Wire } from './wire.ts';

const NAME = 'sim';

/** Shorter than in a deployment, in the same proportion, so that less time must be simulated. */
const WORKER_TIMEOUT_SECONDS = 150;
const TASK_VISIBILITY_SECONDS = WORKER_TIMEOUT_SECONDS + 60;
const SEED_TIMEOUT_SECONDS = 60;
const MAX_RECEIVE_COUNT = 100;
const COLLECTOR_TIMEOUT_SECONDS = 400;
const WATCH_MS = 300_000;

/** So small that runs of a few results have several parts. */
const PART_LIMITS = { length: 300, ms: 5_000 };

/** Factor by which a slow worker's tasks take longer. */
const SLOWNESS = 100;

/** The version of the worker function's code whose tasks module does not load. */
const BAD = 1;

function runIdOf(body: string): string | undefined {
  return /"runId":"([\w-]+)"/.exec(body)?.[1];
}

/** A deployment with all its processes, on services that misbehave. */
export class World {
  readonly names: Names = namesOf(NAME);
  readonly #chunkQueues = [this.names.tasks, this.names.lanes];
  readonly executions = new Executions();
  readonly consumers: (Consumer | StoredConsumer)[];
  readonly stored = new StoredResults();
  readonly faults: Faults;
  readonly wire: Wire;
  readonly #sqs = new Sqs({ bodyDigests: false });
  readonly #lambda = new Lambda();
  readonly #watching = createLambdaClient(this.#lambda);
  readonly #faultySqs: FaultySqs;
  readonly #faultyLambda: FaultyLambda;
  readonly #pullWorkers: PullWorkers;
  readonly #scenario: Scenario;
  readonly #startedAt = Date.now();
  readonly #log: EventLog;
  readonly #tasks = new TaskRegistry();
  /** Number of pulling workers that were opened. */
  #opened = 0;
  readonly #queueUrl = (name: string) => `http://localhost/000000000000/${name}`;

  constructor(scenario: Scenario, random: Random, log: EventLog) {
    this.#scenario = scenario;
    this.#log = log;
    this.faults = new Faults(scenario.rates, random, log);
    this.wire = new Wire(
      {
        chunkQueues: this.#chunkQueues,
        visibilitySeconds: TASK_VISIBILITY_SECONDS,
        sliceSeconds: scenario.sliceSeconds,
        keepsSlices: isCalm(scenario) && hasWholeSlices(scenario),
        truth: {
          hasResult: (queue, index) => this.#hasResult(queue, index),
          inputsOf: (runId) => this.#planOf(runId)?.inputs.length,
          visible: (queue) => this.#visible(queue),
        },
      },
      log,
    );
    this.#faultySqs = new FaultySqs(this.#sqs.service, this.faults, this.wire, log);
    this.#faultyLambda = new FaultyLambda(this.#lambda.service, this.faults, log);
    const objects = (service: Service) => new FaultyObjects(service, this.faults, log).service;
    connectClients({
      ...{ sqs: this.#faultySqs.service, lambda: this.#faultyLambda.service },
      ...{ s3: objects(this.stored.s3.service), events: objects(this.stored.bus) },
    });
    this.#pullWorkers = new PullWorkers((actor) => this.#pulling(actor), this.faults);
    this.#tasks.add(simulatedTask(scenario.task, this));
    this.consumers = scenario.runs.map((plan, at) => {
      const deployment = () => this.#deployment();
      const { faults, stored } = this;
      return plan.isStored
        ? new StoredConsumer(`run-${at + 1}`, plan, { deployment, stored, log })
        : new Consumer(`run-${at + 1}`, plan, { deployment, faults, log });
    });
  }

  get log(): EventLog {
    return this.#log;
  }

  get calls(): number {
    return this.#faultySqs.calls + this.#faultyLambda.calls;
  }

  /** Creates the queues and functions, and starts all actors. */
  async start(): Promise<void> {
    const { names } = this;
    await this.#createQueue(names.dead, {});
    await this.#createQueue(names.ended, {});
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${names.dead}`;
    await this.#createQueue(names.tasks, {
      VisibilityTimeout: String(TASK_VISIBILITY_SECONDS),
      RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: MAX_RECEIVE_COUNT }),
    });
    await this.#createQueue(names.lanes, {
      FifoQueue: 'true',
      DeduplicationScope: 'messageGroup',
      FifoThroughputLimit: 'perMessageGroupId',
      VisibilityTimeout: String(TASK_VISIBILITY_SECONDS),
    });
    for (const MessageBody of this.garbage()) {
      await ask(this.#sqs.service, 'SendMessage', {
        QueueUrl: this.#queueUrl(names.tasks),
        MessageBody,
      });
    }
    this.#addFunctions();
    for (let at = 0; at < this.#scenario.pullWorkers; at++) this.#pullWorkers.start();
    for (const consumer of this.consumers) {
      void FATE.run(() => consumer.start());
      const deployment = () => this.#deployment();
      const options = { scenario: this.#scenario, deployment, log: this.#log };
      if (consumer instanceof Consumer) FATE.run(() => new Operator(consumer, options).start());
    }
  }

  /** Messages that no worker can read: garbage, and a message of a future version. */
  garbage(): string[] {
    const kinds = ['not a task message', '{"v":3,"runId":"of another version"}'];
    return kinds.slice(0, this.#scenario.garbage);
  }

  /** Bodies of the messages in a queue, in whatever state they are. */
  bodies(queue: string): string[] {
    return this.#sqs.peek(queue).map(({ body }) => body);
  }

  /**
   * Bodies of the task messages that must disappear soon. Those of a run without a collector, because its
   * collector did not find it again, or as a seed made it anew, may stay until its deadline.
   */
  unfinished(): string[] {
    return this.#chunkQueues
      .flatMap((queue) => this.bodies(queue))
      .filter((body) => {
        const runId = runIdOf(body);
        if (runId === undefined || this.wire.run(runId).over) return true;
        return this.consumers.some(({ ended, runIds }) => !ended && runIds.at(-1) === runId);
      });
  }

  /** Stops all actors that would continue forever. */
  async close(): Promise<void> {
    await Promise.all([this.#pullWorkers.close(), this.#lambda.close()]);
    this.#sqs.close();
  }

  #hasResult(queue: string, index: number): boolean {
    const names = (runId: string) => this.names.run(runId) === queue;
    const consumer = this.consumers.find(({ runIds }) => runIds.some(names));
    if (consumer instanceof StoredConsumer) {
      return this.stored.has(consumer.runIds.find(names) ?? '', index);
    }
    return this.consumers.some(({ runIds, disk, seedsFrom }) => {
      // A process that resumes may drop results of inputs that it seeds again.
      return runIds.some(names) && (disk.has(index) || index >= seedsFrom);
    });
  }

  #planOf(runId: string): RunPlan | undefined {
    return this.consumers.find(({ runIds }) => runIds.includes(runId))?.plan;
  }

  #visible(queue: string): string[] {
    const messages = this.#sqs.peek(queue).filter(({ state }) => state === 'visible');
    return messages.map(({ body }) => body);
  }

  async #createQueue(QueueName: string, Attributes: Record<string, string>): Promise<void> {
    readAnswer(await ask(this.#sqs.service, 'CreateQueue', { QueueName, Attributes }));
  }

  #deployment() {
    const countsLate = !this.#scenario.onServer;
    const of = { sqs: sqsClient(), lambda: lambdaClient(), names: this.names, countsLate };
    return { ...of, payloads: this.#payloads() };
  }

  /** A process's access to the bucket, in a deployment that has one. */
  #payloads(): Payloads {
    const place = () => ({ s3: s3Client(), bucket: BUCKET });
    return new Payloads(() => Promise.resolve(hasBucket(this.#scenario) ? place() : undefined));
  }

  #addFunctions(): void {
    const { names } = this;
    const { lambdaWorkers, pullWorkers } = this.#scenario;
    const isSilent = () => this.faults.random.chance(0.5);
    const cutFor = { workers: lambdaWorkers + pullWorkers };
    const seeds = new Environments({
      name: 'seed',
      kind: 'seed',
      load: () =>
        seedHandler(this.#tasks, {
          ...{ sqs: sqsClient(), lambda: lambdaClient(), name: NAME, resultPlaces: [PLACE] },
          ...{ ...cutFor, payloads: this.#payloads() },
        }),
      isSilent,
    });
    this.#lambda.addFunction(names.seed, seeds.handler, { timeoutSeconds: SEED_TIMEOUT_SECONDS });
    if (hasBucket(this.#scenario)) this.#addCollector(isSilent);
    if (lambdaWorkers === 0) return;
    const workers = new Environments({
      name: 'lambda',
      kind: 'worker',
      load: (actor) => this.#workerFunction(actor),
      isSilent,
      initFails: () => this.faults.hits('lostInit'),
      version: () => this.#deployed(),
    });
    this.#lambda.addFunction(names.worker, workers.handler, {
      timeoutSeconds: WORKER_TIMEOUT_SECONDS,
    });
    for (const queue of this.#chunkQueues) {
      this.#lambda.addSqsEventSource(names.worker, {
        sqs: sqsClient(),
        queueUrl: this.#queueUrl(queue),
        batchSize: 1,
        maxConcurrency: lambdaWorkers,
        reportBatchItemFailures: true,
      });
    }
  }

  /** The collector function, and the schedule that looks after its runs. */
  #addCollector(isSilent: () => boolean): void {
    const { names } = this;
    const collectors = new Environments({
      name: 'collector',
      kind: 'collector',
      load: (actor) => {
        maySetClock(actor, this.faults);
        return collectorHandler({
          ...{ sqs: sqsClient(), lambda: lambdaClient(), s3: s3Client(), events: eventsClient() },
          ...{ name: NAME, places: [PLACE], limits: PART_LIMITS, payloads: this.#payloads() },
          log: (_level, message, fields) => this.#markCollector(message, fields),
        });
      },
      isSilent,
    });
    const timeoutSeconds = COLLECTOR_TIMEOUT_SECONDS;
    this.#lambda.addFunction(names.collector, collectors.handler, { timeoutSeconds });
    const watch = async () => {
      while (!this.consumers.every(({ ended }) => ended)) {
        await after(WATCH_MS);
        await startFunction(this.#watching, names.collector, { watch: true }).catch(() => {});
      }
    };
    void FATE.run(watch);
  }

  #markCollector(message: string, fields: { is?: string }): void {
    if (fields.is !== undefined) this.#log.mark(`collector: ${fields.is}`);
    else if (message.endsWith('was restarted')) this.#log.mark('collector: restarted');
    else this.#log.note(`collector: ${message}`);
  }

  /** One process of the worker function. */
  #workerFunction(actor: Actor) {
    this.#maySlow(actor);
    let handles: string[] = [];
    const load = async () => {
      this.wire.hands.loads(actor, handles);
      if (this.#scenario.loadMs > 0) await after(this.#scenario.loadMs);
      if (this.#deployed() !== BAD) return this.#tasks;
      this.#log.mark('tasks module not loaded');
      throw new Error('The tasks module does not load.');
    };
    const handle = workerHandler(load, {
      sqs: sqsClient(),
      name: NAME,
      taskQueueUrl: this.#queueUrl(this.names.tasks),
      sliceSeconds: this.#scenario.sliceSeconds,
      payloads: this.#payloads(),
      exit: () => actor.kill('by its exit'),
    });
    return async (event: unknown, context: LambdaContext) => {
      const { Records } = event as SqsEvent;
      handles = Records.map(({ receiptHandle }) => receiptHandle);
      for (const receiptHandle of handles) this.wire.hands.holds(actor, receiptHandle);
      let kept = new Set(Records.map(({ messageId }) => messageId));
      try {
        const answer = await handle(event, context);
        kept = new Set(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
        return answer;
      } finally {
        const left = Records.filter(({ messageId }) => kept.has(messageId));
        this.wire.hands.keeps(
          actor,
          left.map(({ receiptHandle }) => receiptHandle),
        );
      }
    };
  }

  /** The version of the worker function's code. */
  #deployed(): number {
    const { badDeployment } = this.#scenario;
    if (badDeployment === undefined) return 0;
    const from = this.#startedAt + badDeployment.afterSeconds * 1000;
    const now = Date.now();
    if (now < from) return 0;
    return this.faults.healed || now >= from + badDeployment.forSeconds * 1000 ? BAD + 1 : BAD;
  }

  #pulling(actor: Actor) {
    const { slowWorkers = 0, onServer } = this.#scenario;
    if (this.#opened++ < slowWorkers) actor.slowness = SLOWNESS;
    this.#maySlow(actor);
    maySetClock(actor, this.faults);
    const sqs = sqsClient();
    const taskQueueUrl = this.#queueUrl(this.names.tasks);
    const worker = new Worker({
      sqs,
      tasks: this.#tasks,
      taskQueueUrl,
      deadQueueUrl: this.#queueUrl(this.names.dead),
      worker: actor.name,
      onServer,
      sliceSeconds: this.#scenario.sliceSeconds,
      payloads: this.#payloads(),
    });
    return {
      sqs,
      taskQueueUrl,
      worker,
      onError: (error: unknown) => this.#log.note(`went wrong: ${error}`),
    };
  }

  #maySlow(actor: Actor): void {
    if (this.faults.hits('slowWorker')) actor.slowness = this.faults.random.whole(10, 100);
  }
}
