import type { ServiceResponse } from '../../src/emulator/transport/index.ts';
import { type Actor, trueNow } from './actors.ts';
import type { EventLog } from './event-log.ts';
import { FlowWatch } from './flow-watch.ts';
import { type Answer, entriesOf, readAnswer, type SqsCall } from './sqs-call.ts';
import { CLOCK_MS, Hands, type HandsOptions } from './wire-hands.ts';
import {
  isRuns,
  kindOf,
  type Message,
  type ResultBody,
  readMessage,
  runOf,
} from './wire-messages.ts';
import { ResultQueues, type Truth } from './wire-results.ts';
import { WireRun } from './wire-run.ts';

/** Codes of failures that an execution of the task ends with. */
const RAN = new Set(['TaskFailed', 'TimedOut']);

/** Times that an input must have been begun before it may be condemned. */
const LEAST_BEGUN = 6;

export interface WireOptions extends HandsOptions {
  /** Names of the queues that hold chunks: the task queue, and the queue of lanes. */
  chunkQueues: readonly string[];
  visibilitySeconds: number;
  truth: Truth;
}

/**
 * Watches the wire for a violation: a task message that is deleted before SQS has all its results
 * and resends. `Hands` watches the workers' side, `ResultQueues` the collectors'.
 */
export class Wire {
  readonly violations: string[] = [];
  readonly hands: Hands;
  readonly flows = new FlowWatch();
  readonly #runs = new Map<string, WireRun>();
  readonly #chunkQueues: readonly string[];
  readonly #visibilityMs: number;
  readonly #log: EventLog;
  readonly #messages = new Map<string, Message>();
  readonly #byHandle = new Map<string, Message>();
  readonly #results: ResultQueues;

  constructor({ chunkQueues, visibilitySeconds, truth, ...options }: WireOptions, log: EventLog) {
    this.#chunkQueues = chunkQueues;
    this.#visibilityMs = visibilitySeconds * 1000;
    this.#log = log;
    const run = (runId: string) => this.run(runId);
    this.#results = new ResultQueues(this.violations, truth, run);
    this.hands = new Hands(this.violations, run, log, options);
  }

  run(runId: string): WireRun {
    const run = this.#runs.get(runId) ?? new WireRun();
    this.#runs.set(runId, run);
    return run;
  }

  /** Called when a call starts. */
  asked(call: SqsCall): void {
    if (this.#hasChunks(call.queue)) this.hands.asked(call);
    else if (isRuns(call.queue)) this.#results.asked(call);
  }

  /** A call had its effect. */
  happened(call: SqsCall, response: ServiceResponse): void {
    const { action, queue } = call;
    if (response.status !== 200) {
      if (action === 'SendMessage' && isRuns(queue)) this.#notReported(call);
      return;
    }
    const isTasks = this.#hasChunks(queue);
    if (action === 'DeleteQueue') this.run(runOf(queue)).over = true;
    else if (action === 'CreateQueue') {
      this.#created(call);
    } else if (action.startsWith('SendMessage')) {
      if (isTasks) this.#accepted(call, readAnswer(response));
      else if (isRuns(queue))
        for (const { MessageBody = '' } of entriesOf(call)) this.#reported(call, MessageBody);
    } else if (action === 'TagQueue' && isRuns(queue)) this.#tagged(call);
    else if (action === 'ReceiveMessage') this.#received(queue, readAnswer(response));
    else if (action.startsWith('DeleteMessage') && isTasks) {
      for (const { ReceiptHandle = '' } of entriesOf(call))
        this.#deleted(call.actor, ReceiptHandle);
    }
  }

  /** Called when the caller has the response. */
  confirmed(call: SqsCall, response: ServiceResponse): void {
    const { action, actor, sentAt, parameters } = call;
    if (!this.#hasChunks(call.queue)) {
      if (isRuns(call.queue)) this.#results.confirmed(call, response);
      return;
    }
    const { VisibilityTimeout, ReceiptHandle = '' } = parameters;
    if (action === 'ChangeMessageVisibility') {
      if (isRefusal(response)) {
        this.#log.mark('claim refused');
        this.hands.lost(ReceiptHandle);
      } else if (response.status === 200) {
        this.hands.extended(ReceiptHandle, sentAt + (VisibilityTimeout ?? 0) * 1000);
      }
    } else if (action === 'ReceiveMessage' && response.status === 200) {
      const hidden =
        VisibilityTimeout === undefined ? this.#visibilityMs : VisibilityTimeout * 1000;
      for (const { ReceiptHandle: handle } of readAnswer(response).Messages ?? []) {
        const message = this.#byHandle.get(handle);
        this.hands.holds(actor, handle, message && { message, until: sentAt + hidden });
      }
    }
  }

  /** The caller gets no response, and repeats the successful call. */
  lostResponse({ queue, action, actor, parameters }: SqsCall): void {
    if (!this.#hasChunks(queue) || action !== 'SendMessageBatch' || actor.kind === 'seed') return;
    for (const { MessageBody = '' } of parameters.Entries ?? []) {
      const { runId = '', indexes = [], attempt = 1 } = readMessage(MessageBody) ?? {};
      for (const index of indexes) {
        this.run(runId).item(index).lineages++;
        if (attempt > 1) this.hands.lostResponse(actor, runId, index);
      }
    }
  }

  #hasChunks(queue: string): boolean {
    return this.#chunkQueues.includes(queue);
  }

  #accepted(call: SqsCall, { MessageId, Successful = [] }: Answer): void {
    const isSeed = call.actor.kind === 'seed';
    for (const entry of entriesOf(call)) {
      const id = MessageId ?? Successful.find(({ Id }) => Id === entry.Id)?.MessageId;
      const message = readMessage(entry.MessageBody ?? '');
      if (id === undefined || message === undefined) continue;
      message.id = id;
      this.#messages.set(id, message);
      if (!isSeed) this.#log.mark(kindOf(message));
      for (const index of message.indexes) {
        const item = this.run(message.runId).item(index);
        item.carriers.add(id);
        // A worker's own message continues a lineage.
        if (isSeed) item.lineages++;
        else if (this.hands.isHedged(call.actor, message, index)) {
          item.lineages++;
          this.#log.mark('input hedged');
        } else this.hands.sentOn(call, message, index);
      }
    }
  }

  #reported(call: SqsCall, body: string): void {
    const { actor } = call;
    const {
      runId,
      results,
      notice,
      index = 0,
      id = '',
      message = '',
    }: ResultBody = JSON.parse(body);
    if (notice === 'begun') {
      this.#log.mark('input announced');
      if ((this.#messages.get(message)?.indexes.length ?? 1) > 1) {
        this.violations.push(`Input ${index} of run ${runId} was announced, and is not alone.`);
      }
      this.run(runId).item(index).begun.set(id, { actor, at: trueNow() });
    }
    for (const { index: of, status, error } of results ?? []) {
      this.run(runId).item(of).reported = true;
      if (status === 'ok' || RAN.has(error?.code ?? '')) this.hands.ended(call, runId, of);
    }
  }

  #tagged(call: SqsCall): void {
    const runId = runOf(call.queue);
    this.flows.tagged(runId, call);
    const { condemned } = call.parameters.Tags ?? {};
    for (const index of condemned?.split(' ').map(Number) ?? []) {
      const item = this.run(runId).item(index);
      // A collector made its result. Its consumer must have it by now.
      if (item.begun.size >= LEAST_BEGUN) item.reported = true;
      else this.violations.push(`Input ${index} of run ${runId} was condemned too soon.`);
    }
  }

  /** A queue was created, or found by its name. */
  #created(call: SqsCall): void {
    const { queue } = call;
    if (!isRuns(queue)) return;
    const runId = runOf(queue);
    const run = this.run(runId);
    if (run.over || !run.created) this.flows.created(runId, call);
    run.created = true;
    run.over = false;
    this.#results.made(call);
  }

  /** The whole chunk may be done again, besides the further attempts at its items. */
  #notReported({ actor, parameters }: SqsCall): void {
    const { runId, results = [] } = JSON.parse(parameters.MessageBody ?? '') as ResultBody;
    const reported = new Set(results.map(({ index }) => index));
    for (const message of this.hands.of(actor)) {
      if (message.runId !== runId) continue;
      if (!message.indexes.some((index) => reported.has(index))) continue;
      for (const index of message.indexes) this.run(runId).item(index).lineages++;
    }
  }

  #received(queue: string, { Messages = [] }: Answer): void {
    for (const { MessageId, ReceiptHandle, Body } of Messages) {
      if (isRuns(queue)) {
        this.#results.received(queue, ReceiptHandle, Body);
        continue;
      }
      const message = this.#messages.get(MessageId);
      if (message === undefined) continue;
      message.handle = ReceiptHandle;
      this.#byHandle.set(ReceiptHandle, message);
      if (++message.receives === 1) continue;
      this.#log.mark('task message came again');
      for (const index of message.indexes) this.run(message.runId).item(index).lineages++;
    }
  }

  /** An older handle deletes nothing. */
  #deleted({ clockOffMs }: Actor, handle: string): void {
    const message = this.#byHandle.get(handle);
    if (message?.handle !== handle) return;
    message.handle = undefined;
    this.hands.lost(handle);
    const run = this.run(message.runId);
    const now = trueNow() + (clockOffMs === 0 ? 0 : CLOCK_MS);
    for (const index of message.indexes) {
      const item = run.item(index);
      item.carriers.delete(message.id);
      if (item.reported || item.carriers.size > 0) continue;
      if (run.over || now > message.expiresAt) this.#log.mark('chunk of an ended run dropped');
      else {
        this.violations.push(
          `The last task message with input ${index} of run ${message.runId} was deleted, and SQS has no result of it.`,
        );
      }
    }
  }
}

/** Whether SQS reports that this worker no longer holds the message. */
function isRefusal(response: ServiceResponse): boolean {
  const { __type = '' } = readAnswer(response);
  return response.status === 400 && !__type.endsWith('QueueDoesNotExist');
}
