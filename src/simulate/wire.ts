import type { ServiceResponse } from '../local/transport.ts';
import { type Actor, trueNow } from './actors.ts';
import type { EventLog } from './event-log.ts';
import { type Answer, type Entry, readAnswer, type SqsCall } from './sqs-call.ts';
import {
  indexesOf,
  isRuns,
  kindOf,
  type Message,
  type ResultBody,
  readMessage,
  runOf,
} from './wire-messages.ts';
import { WireRun } from './wire-run.ts';

/** How long a worker may take from looking at its claim to sending, in milliseconds. */
const GRACE_MS = 5_000;

/** By how long a claim has to outlast what is begun on it, in milliseconds. */
const MARGIN_MS = 30_000;

/** How far a corrected clock may be from SQS's, in milliseconds: as long as an answer is under way. */
const CLOCK_MS = 225_000;
/** How long a claim hides a message at first, and how long one that is given up, in milliseconds. */
const CLAIM_MS = 120_000;
const GIVEN_UP_MS = 30_000;

/** A task message that a worker has, as far as the worker knows. */
interface Claim {
  message: Message;
  until: number;
}

/**
 * Watches what goes over the wire, and finds what must not: a task message deleted before all that
 * came of it is with SQS; a result deleted before its consumer has it; new chunks from a worker
 * that is past its last confirmed claim.
 */
export class Wire {
  readonly violations: string[] = [];
  readonly #runs = new Map<string, WireRun>();
  readonly #taskQueue: string;
  readonly #visibilityMs: number;
  readonly #log: EventLog;
  readonly #messages = new Map<string, Message>();
  readonly #byHandle = new Map<string, Message>();
  readonly #claims = new Map<string, Claim>();
  readonly #hands = new Map<Actor, Set<string>>();
  /** Receipt handles of messages that workers have set out to show again. */
  readonly #givenUp = new Set<string>();
  /** Chunks that workers have set out to send on. */
  readonly #begun = new Set<string>();
  /** Result indexes that a receipt handle of a run's queue stands for. */
  readonly #results = new Map<string, number[]>();
  /** Whether a consumer has an index. */
  readonly #hasResult: (queue: string, index: number) => boolean;

  constructor(
    { taskQueue, visibilitySeconds }: { taskQueue: string; visibilitySeconds: number },
    log: EventLog,
    hasResult: (queue: string, index: number) => boolean,
  ) {
    this.#taskQueue = taskQueue;
    this.#visibilityMs = visibilitySeconds * 1000;
    this.#log = log;
    this.#hasResult = hasResult;
  }

  run(runId: string): WireRun {
    const run = this.#runs.get(runId) ?? new WireRun();
    this.#runs.set(runId, run);
    return run;
  }

  /** A call sets out. */
  asked(call: SqsCall): void {
    const { action, queue, actor, parameters } = call;
    if (queue !== this.#taskQueue) {
      if (!action.startsWith('DeleteMessage')) return;
      for (const { ReceiptHandle = '' } of entriesOf(call))
        this.#acknowledged(queue, ReceiptHandle);
      return;
    }
    const { ReceiptHandle = '', VisibilityTimeout = CLAIM_MS } = parameters;
    if (VisibilityTimeout * 1000 <= GIVEN_UP_MS) this.#givenUp.add(ReceiptHandle);
    if (actor.kind !== 'worker' || !action.startsWith('SendMessage')) return;
    for (const { MessageBody = '' } of parameters.Entries ?? []) {
      // What was begun in time may be tried again later.
      const key = `${actor.name} ${MessageBody}`;
      if (!this.#begun.has(key)) this.#sendsOn(actor, MessageBody);
      this.#begun.add(key);
    }
  }

  /** A call had its effect. */
  happened(call: SqsCall, response: ServiceResponse): void {
    const { action, queue } = call;
    if (response.status !== 200) {
      if (action === 'SendMessage' && isRuns(queue)) this.#notReported(call);
      return;
    }
    const isTasks = queue === this.#taskQueue;
    if (action === 'DeleteQueue') this.run(runOf(queue)).over = true;
    else if (action === 'CreateQueue') this.run(runOf(queue)).over = false;
    else if (action.startsWith('SendMessage')) {
      if (isTasks) this.#accepted(call, readAnswer(response));
      else if (isRuns(queue))
        for (const { MessageBody = '' } of entriesOf(call)) this.#reported(call.actor, MessageBody);
    } else if (action === 'ReceiveMessage') this.#received(queue, readAnswer(response));
    else if (action.startsWith('DeleteMessage') && isTasks) {
      for (const { ReceiptHandle = '' } of entriesOf(call))
        this.#deleted(call.actor, ReceiptHandle);
    }
  }

  /** Its caller has the answer. */
  confirmed(call: SqsCall, response: ServiceResponse): void {
    const { action, actor, sentAt, parameters } = call;
    if (call.queue !== this.#taskQueue) return;
    const { VisibilityTimeout, ReceiptHandle = '' } = parameters;
    if (action === 'ChangeMessageVisibility') {
      const claim = this.#claims.get(ReceiptHandle);
      if (isRefusal(response)) {
        this.#log.mark('claim refused');
        // Its worker knows now.
        this.#claims.delete(ReceiptHandle);
      } else if (claim && response.status === 200) {
        claim.until = sentAt + (VisibilityTimeout ?? 0) * 1000;
      }
    } else if (action === 'ReceiveMessage' && response.status === 200) {
      const hidden =
        VisibilityTimeout === undefined ? this.#visibilityMs : VisibilityTimeout * 1000;
      for (const { ReceiptHandle: handle } of readAnswer(response).Messages ?? []) {
        const message = this.#byHandle.get(handle);
        if (message) this.#claims.set(handle, { message, until: sentAt + hidden });
        this.holds(actor, handle);
      }
    }
  }

  /** Its caller does not get the answer, and tries again what got through. */
  unheard({ queue, action, actor, parameters }: SqsCall): void {
    if (queue !== this.#taskQueue || action !== 'SendMessageBatch' || actor.kind === 'seed') return;
    for (const { MessageBody = '' } of parameters.Entries ?? []) {
      const { runId = '', indexes = [] } = readMessage(MessageBody) ?? {};
      for (const index of indexes) this.run(runId).item(index).lineages++;
    }
  }

  /** A worker begins an input that may take so long. */
  begins(actor: Actor, runId: string, index: number, ms: number): void {
    const until = Math.max(
      ...[...(this.#hands.get(actor) ?? [])]
        .flatMap((handle) => this.#claims.get(handle) ?? [])
        .filter(({ message }) => message.runId === runId && message.indexes.includes(index))
        .map((claim) => claim.until),
    );
    if (until >= trueNow() + ms + MARGIN_MS - GRACE_MS) return;
    this.violations.push(
      `${actor.name} began input ${index} of run ${runId} on a claim that may end before it does.`,
    );
  }

  /** A worker function's process loads its tasks module, with messages in its hand. */
  loads(actor: Actor, handles: readonly string[]): void {
    for (const handle of handles) {
      const { until = 0 } = this.#claims.get(handle) ?? {};
      if (until <= Date.now() + CLAIM_MS) continue;
      this.violations.push(`${actor.name} loaded its tasks module before it had a claim.`);
    }
  }

  /** A worker function's invocation has ended, and keeps messages. */
  keeps(actor: Actor, handles: readonly string[]): void {
    for (const handle of handles) {
      const claim = this.#claims.get(handle);
      // One that it has lost is another's.
      if (claim?.message.handle !== handle || claim.until <= Date.now() + GRACE_MS) continue;
      if (this.#givenUp.has(handle)) this.#log.mark('chunk shown again');
      else this.violations.push(`${actor.name} kept a chunk hidden that it did not finish.`);
    }
  }

  /** A worker has been given a message. */
  holds(actor: Actor, handle: string): void {
    const hand = this.#hands.get(actor) ?? new Set();
    this.#hands.set(actor, hand.add(handle));
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
        // A worker's own message goes a lineage on.
        if (isSeed) item.lineages++;
      }
    }
  }

  #reported(actor: Actor, body: string): void {
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
    for (const result of results ?? []) this.run(runId).item(result.index).reported = true;
  }

  /** All of the chunk may be done again, with what was to be tried again beside it. */
  #notReported({ actor, parameters }: SqsCall): void {
    const { runId, results = [] } = JSON.parse(parameters.MessageBody ?? '') as ResultBody;
    const reported = new Set(results.map(({ index }) => index));
    for (const handle of this.#hands.get(actor) ?? []) {
      const message = this.#claims.get(handle)?.message;
      if (message?.runId !== runId) continue;
      if (!message.indexes.some((index) => reported.has(index))) continue;
      for (const index of message.indexes) this.run(runId).item(index).lineages++;
    }
  }

  #received(queue: string, { Messages = [] }: Answer): void {
    for (const { MessageId, ReceiptHandle, Body } of Messages) {
      if (isRuns(queue)) {
        this.#results.set(ReceiptHandle, indexesOf(Body, runOf(queue)));
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
    this.#claims.delete(handle);
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

  #acknowledged(queue: string, handle: string): void {
    for (const index of this.#results.get(handle) ?? []) {
      if (this.#hasResult(queue, index)) continue;
      this.violations.push(
        `The result of input ${index} in ${queue} was deleted before its consumer had taken it.`,
      );
    }
  }

  #sendsOn(actor: Actor, body: string): void {
    const sent = readMessage(body);
    if (sent === undefined) return;
    const claimed = new Set<number>();
    const hand = this.#hands.get(actor) ?? new Set();
    for (const handle of hand) {
      const claim = this.#claims.get(handle);
      if (claim === undefined || trueNow() > claim.until + GRACE_MS) hand.delete(handle);
      else if (claim.message.runId === sent.runId) {
        for (const index of claim.message.indexes) claimed.add(index);
      }
    }
    for (const index of sent.indexes) {
      if (claimed.has(index)) continue;
      this.violations.push(
        `${actor.name} sent input ${index} of run ${sent.runId} on, past its claim on it.`,
      );
    }
  }
}

function entriesOf({ parameters }: SqsCall): Entry[] {
  return parameters.Entries ?? [{ Id: '', ...parameters }];
}

/** Whether SQS says that the message is not in this worker's hand any more. */
function isRefusal(response: ServiceResponse): boolean {
  const { __type = '' } = readAnswer(response);
  return response.status === 400 && !__type.endsWith('QueueDoesNotExist');
}
