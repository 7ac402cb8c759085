import type {
  Service,
  ServiceRequest,
  ServiceResponse,
} from '../../src/emulator/transport/index.ts';
import { failure } from '../../src/emulator/transport/service.ts';
import { AWS, FATE, never, trueNow } from './actors.ts';
import { describe, outcomeOf } from './describe.ts';
import type { EventLog } from './event-log.ts';
import type { Faults } from './faults.ts';
import { forgedMessage } from './forged.ts';
import { after } from './pause.ts';
import {
  type Answer,
  answered,
  ask,
  changed,
  dated,
  readAnswer,
  readCall,
  refused,
  type SqsCall,
} from './sqs-call.ts';
import type { Wire } from './wire.ts';
import { isRuns, runOf } from './wire-messages.ts';

/** Most time that a request or its answer takes to arrive, in milliseconds. */
const LATENCY_MS = 40;

/** Most time until a late message becomes visible, in seconds. */
const LATE_SECONDS = 90;

/** Longest time of a response in transit while its caller still waits for it, in milliseconds. */
const LATE_ANSWER_MS = 200_000;

/** Longest time by which a visibility timeout may end too early, in milliseconds. */
const EARLY_MS = 60_000;

/** Most time that a receive takes that finds nothing, in milliseconds. */
const EMPTY_MS = 2_000;

/** The most messages of a receive that is short. */
const SHORT_MESSAGES = 3;

/** A client's limit of a request, in milliseconds. */
const GIVEN_UP_MS = 10_000;

/** Time that a queue may seem to be missing; that, and the time that it is seen then. */
const MISSING_MS = 10_000;
const SEEN_MS = 100_000;

/** The fault that kills each kind of actor. */
const KILLERS = {
  worker: 'killWorker',
  seed: 'killSeed',
  collector: 'killCollector',
  canceller: 'killCollector',
  operator: undefined,
  caller: undefined,
  infrastructure: undefined,
} as const;

const LOST = 'The request was lost.';

/**
 * Whether a queue delivers a message again only when its visibility timeout ends, and never after
 * its deletion was confirmed.
 */
function isFifo(queue: string): boolean {
  return queue.endsWith('.fifo');
}

/**
 * SQS at its worst, in front of a correct one. It never loses or changes an accepted message:
 * everything else may happen twice, late, in another order, or not when requested.
 */
export class FaultySqs {
  /** Calls that got a response or were abandoned. */
  calls = 0;
  readonly #sqs: Service;
  readonly #faults: Faults;
  readonly #wire: Wire;
  readonly #log: EventLog;
  /** Times at which queues began to be missing for a moment. */
  readonly #missingAt = new Map<string, number>();

  constructor(sqs: Service, faults: Faults, wire: Wire, log: EventLog) {
    this.#sqs = sqs;
    this.#faults = faults;
    this.#wire = wire;
    this.#log = log;
  }

  readonly service: Service = async (request) => {
    const call = readCall(request);
    const { actor } = call;
    this.calls++;
    if (actor.dead) return never();
    this.#wire.asked(call);
    const response = await FATE.run(() => this.#answer(call)).catch((error: Error) => {
      this.#wire.violations.push(`The simulation itself failed: ${error.stack}`);
      return never();
    });
    // The caller is dead; the messages that it was sent stay in flight.
    return actor.dead ? never() : response;
  };

  async #answer(call: SqsCall): Promise<ServiceResponse> {
    const faults = this.#faults;
    const killer = KILLERS[call.actor.kind];
    // Delayed on one of the two ways: delays on both would cost a timer each.
    const arrivesLate = faults.random.chance(0.5);
    const latency = faults.random.whole(1, LATENCY_MS);
    if (arrivesLate) await after(latency);
    const hung = faults.hits('hungCall');
    if (hung && faults.random.chance(0.5)) {
      await after(GIVEN_UP_MS);
      return this.#told(call, failure(500, 'InternalFailure', LOST));
    }
    if (faults.hits('lostRequest')) return this.#told(call, failure(500, 'InternalFailure', LOST));
    if (faults.hits('throttling')) {
      return this.#told(call, refused('RequestThrottled', 'The request was throttled.'));
    }
    if (killer && faults.hits(killer)) {
      call.actor.kill(`before ${call.action}`);
      return never();
    }
    const response = await this.#effect(call);
    this.#told(call, response);
    if (killer && faults.hits(killer)) call.actor.kill(`after ${call.action}`);
    if (!arrivesLate) await after(latency);
    if (hung || faults.hits('lostAnswer')) {
      if (hung) await after(GIVEN_UP_MS);
      this.#wire.lostResponse(call);
      this.#log.note(`${describe(call)}: the answer is lost`);
      return failure(500, 'InternalFailure', LOST);
    }
    this.#wire.confirmed(call, response);
    return response;
  }

  #effect(call: SqsCall): ServiceResponse | Promise<ServiceResponse> {
    switch (call.action) {
      case 'ReceiveMessage':
        return this.#receive(call);
      case 'SendMessage':
      case 'SendMessageBatch':
        return this.#send(call);
      case 'DeleteMessage':
      case 'DeleteMessageBatch':
        return this.#delete(call);
      case 'GetQueueUrl':
      case 'ListQueueTags':
        return this.#missing(call) ?? this.#pass(call);
      default:
        return this.#pass(call);
    }
  }

  /** SQS reports that for a queue that it has only just created, or for a moment. */
  #missing(call: SqsCall): ServiceResponse | undefined {
    if (!isRuns(call.queue) || !this.#isMissing(call.queue)) return undefined;
    const refusal = refused('QueueDoesNotExist', 'The specified queue does not exist.');
    this.#wire.happened(call, refusal);
    return refusal;
  }

  /** While it is missing, every other lookup does not find it. */
  #isMissing(queue: string): boolean {
    const faults = this.#faults;
    if (faults.healed) return false;
    const since = trueNow() - (this.#missingAt.get(queue) ?? Number.NEGATIVE_INFINITY);
    if (since <= MISSING_MS) return faults.random.chance(0.5);
    if (since <= SEEN_MS || !faults.hits('missingQueue')) return false;
    this.#missingAt.set(queue, trueNow());
    return true;
  }

  async #receive(call: SqsCall): Promise<ServiceResponse> {
    const faults = this.#faults;
    const missing = this.#missing(call);
    if (missing) return missing;
    if (faults.hits('emptyReceive')) {
      await after(faults.random.whole(0, EMPTY_MS));
      return answered({});
    }
    if (isRuns(call.queue) && faults.hits('forgedMessage')) await this.#forge(call);
    const response = await this.#pass(call, this.#shortened(call));
    const { Messages = [] } = response.status === 200 ? readAnswer(response) : {};
    if (Messages.length === 0) return response;
    for (const { ReceiptHandle } of isFifo(call.queue) ? [] : Messages) {
      if (faults.hits('duplicateDelivery')) this.#showAgain(call, ReceiptHandle, 0);
      else if (faults.hits('earlyVisibility')) {
        this.#showAgain(call, ReceiptHandle, faults.random.whole(0, EARLY_MS));
      }
    }
    if (faults.hits('phantomDelivery')) return answered({});
    if (faults.hits('lateDelivery')) await after(faults.random.whole(0, LATE_ANSWER_MS));
    return response;
  }

  #shortened({ parameters }: SqsCall): SqsCall['parameters'] {
    const { MaxNumberOfMessages = 1 } = parameters;
    if (MaxNumberOfMessages === 1 || !this.#faults.hits('shortReceive')) return parameters;
    const most = Math.min(SHORT_MESSAGES, MaxNumberOfMessages - 1);
    return { ...parameters, MaxNumberOfMessages: this.#faults.random.whole(1, most) };
  }

  async #forge({ queue, parameters: { QueueUrl } }: SqsCall): Promise<void> {
    const MessageBody = forgedMessage(runOf(queue), this.#faults.random);
    await AWS.run(() => ask(this.#sqs, 'SendMessage', { QueueUrl, MessageBody }));
  }

  /** Makes a message in flight visible again, if it is still that receive's. */
  #showAgain({ parameters: { QueueUrl } }: SqsCall, ReceiptHandle: string, ms: number): void {
    void after(ms).then(() =>
      AWS.run(() =>
        ask(this.#sqs, 'ChangeMessageVisibility', {
          QueueUrl,
          ReceiptHandle,
          VisibilityTimeout: 0,
        }),
      ),
    );
  }

  #send(call: SqsCall): ServiceResponse | Promise<ServiceResponse> {
    const missing = this.#missing(call);
    if (missing) return missing;
    const late = <T extends { DelaySeconds?: number }>(message: T): T => {
      // SQS keeps the order of a group, and refuses a delay of one of its messages.
      if (isFifo(call.queue) || !this.#faults.hits('lateMessage')) return message;
      const { DelaySeconds = 0 } = message;
      return {
        ...message,
        DelaySeconds: DelaySeconds + this.#faults.random.whole(1, LATE_SECONDS),
      };
    };
    const { Entries } = call.parameters;
    if (Entries === undefined) return this.#pass(call, late(call.parameters));
    return this.#batch(call, Entries.map(late));
  }

  #delete(call: SqsCall): ServiceResponse | Promise<ServiceResponse> {
    const { Entries } = call.parameters;
    const without = () => !isFifo(call.queue) && this.#faults.hits('deleteWithoutEffect');
    if (Entries === undefined) return without() ? answered({}) : this.#pass(call);
    const kept = Entries.filter(without);
    const deleted = Entries.filter((entry) => !kept.includes(entry));
    return this.#batch(
      call,
      deleted,
      kept.map(({ Id }) => ({ Id })),
    );
  }

  /** A batch of which some entries may fail. @param claimed entries that only claim to succeed */
  async #batch(
    call: SqsCall,
    Entries: SqsCall['parameters']['Entries'] & {},
    claimed: { Id: string }[] = [],
  ): Promise<ServiceResponse> {
    const failing = Entries.filter(() => this.#faults.hits('partialBatch'));
    const rest = Entries.filter((entry) => !failing.includes(entry));
    const Failed = failing.map(({ Id }) => ({
      Id,
      SenderFault: false,
      Code: 'InternalError',
      Message: 'Try again.',
    }));
    if (failing.length === 0 && claimed.length === 0) {
      const same = Entries.every((entry, at) => entry === call.parameters.Entries?.[at]);
      return this.#pass(call, same ? call.parameters : { ...call.parameters, Entries });
    }
    let answer: Answer = {};
    if (rest.length > 0) {
      const response = await this.#pass(call, { ...call.parameters, Entries: rest });
      if (response.status !== 200) return response;
      answer = readAnswer(response);
    }
    const Successful = [...(answer.Successful ?? []), ...claimed];
    return answered({ Successful, Failed: [...(answer.Failed ?? []), ...Failed] });
  }

  /** Passes the call on to the correct SQS. */
  async #pass(call: SqsCall, parameters = call.parameters): Promise<ServiceResponse> {
    const request: ServiceRequest = changed(call, parameters);
    const response = dated(await AWS.run(() => this.#sqs(request)));
    this.#wire.happened({ ...call, parameters }, response);
    return response;
  }

  #told(call: SqsCall, response: ServiceResponse): ServiceResponse {
    this.#log.note(`${call.actor.name}: ${describe(call)}: ${outcomeOf(response)}`);
    return response;
  }
}
