import { type Actor, trueNow } from './actors.ts';
import type { EventLog } from './event-log.ts';
import type { SqsCall } from './sqs-call.ts';
import { type Message, readMessage } from './wire-messages.ts';
import type { WireRun } from './wire-run.ts';

/** Longest time from a worker's check of its claim to its send, in milliseconds. */
const GRACE_MS = 5_000;

/** Time by which a claim must outlast an item that starts on it, in milliseconds. */
const MARGIN_MS = 30_000;

/** Largest error of a corrected clock, in milliseconds: the time of a response in transit. */
export const CLOCK_MS = 225_000;

/** Time that a new claim hides a message, and that a released one stays hidden, in milliseconds. */
const CLAIM_MS = 120_000;
const GIVEN_UP_MS = 30_000;

/** Shortest slice of a chunk of a run with a rate, in milliseconds. */
const PACED_MS = 240_000;

/** Longest time from a worker's check of a chunk's deadline to its first item, in milliseconds. */
const BEGINS_MS = 120_000;

/** A task message that a worker has, as far as the worker knows. */
interface Claim {
  message: Message;
  until: number;
  /** Start of the first of its items. */
  begunAt?: number;
}

export interface HandsOptions {
  sliceSeconds: number;
  /** Whether nothing but its end may end a slice. */
  keepsSlices: boolean;
}

/**
 * Watches the messages that workers hold for violations: an item that starts on a claim that
 * ends before it, after its slice or its deadline; new chunks from a worker that is past its last
 * confirmed claim; two outcomes of one execution.
 */
export class Hands {
  readonly #violations: string[];
  readonly #run: (runId: string) => WireRun;
  readonly #log: EventLog;
  readonly #sliceMs: number;
  readonly #keepsSlices: boolean;
  readonly #claims = new Map<string, Claim>();
  readonly #hands = new Map<Actor, Set<string>>();
  /** Receipt handles of messages that workers are about to release. */
  readonly #givenUp = new Set<string>();
  /** Chunks that workers are about to send back. */
  readonly #sent = new Set<string>();

  constructor(
    violations: string[],
    run: (runId: string) => WireRun,
    log: EventLog,
    { sliceSeconds, keepsSlices }: HandsOptions,
  ) {
    this.#violations = violations;
    this.#run = run;
    this.#log = log;
    this.#sliceMs = sliceSeconds * 1000;
    this.#keepsSlices = keepsSlices;
  }

  /** Called when a call to the task queue starts. */
  asked({ action, actor, parameters }: SqsCall): void {
    const { ReceiptHandle = '', VisibilityTimeout = CLAIM_MS } = parameters;
    if (VisibilityTimeout * 1000 <= GIVEN_UP_MS) this.#givenUp.add(ReceiptHandle);
    if (actor.kind !== 'worker' || !action.startsWith('SendMessage')) return;
    for (const { MessageBody = '' } of parameters.Entries ?? []) {
      // A call that started in time may be retried later.
      const key = `${actor.name} ${MessageBody}`;
      if (!this.#sent.has(key)) this.#sendsOn(actor, MessageBody);
      this.#sent.add(key);
    }
  }

  /** A worker received a message, which is hidden until this time, if known. */
  holds(actor: Actor, handle: string, claim?: Claim): void {
    if (claim) this.#claims.set(handle, claim);
    const hand = this.#hands.get(actor) ?? new Set();
    this.#hands.set(actor, hand.add(handle));
  }

  /** SQS hides a message until then. */
  extended(handle: string, until: number): void {
    const claim = this.#claims.get(handle);
    if (claim) claim.until = until;
  }

  /** A worker no longer holds a message, and knows that. */
  lost(handle: string): void {
    this.#claims.delete(handle);
  }

  /** The messages in a worker's hand. */
  of(actor: Actor): Message[] {
    const hand = [...(this.#hands.get(actor) ?? [])];
    return hand.flatMap((handle) => this.#claims.get(handle)?.message ?? []);
  }

  /** A worker begins an input that may take so long. */
  begins(actor: Actor, runId: string, index: number, ms: number): void {
    const now = trueNow();
    const claims = this.#claimsOn(actor, runId, index);
    const { ran } = this.#run(runId).item(index);
    ran.set(actor, (ran.get(actor) ?? 0) + 1);
    const violated = (how: string) =>
      this.#violations.push(`${actor.name} began input ${index} of run ${runId} ${how}.`);
    if (!claims.some(({ until }) => until >= now + ms + MARGIN_MS - GRACE_MS)) {
      violated('on a claim that may end before it does');
    }
    const isLate = ({ begunAt = now, message: { hasBounds } }: Claim) =>
      now > begunAt + Math.max(this.#sliceMs, hasBounds ? PACED_MS : 0) + GRACE_MS;
    if (claims.every(isLate)) violated('after its slice');
    const expiresAt = Math.max(...claims.map(({ message }) => message.expiresAt));
    const wrongMs = actor.clockOffMs === 0 ? 0 : CLOCK_MS;
    if (now > expiresAt + this.#sliceMs + BEGINS_MS + wrongMs) violated('after its deadline');
    for (const claim of claims) claim.begunAt ??= now;
  }

  /** A worker function's process loads its tasks module, with messages in its hand. */
  loads(actor: Actor, handles: readonly string[]): void {
    for (const handle of handles) {
      const { until = 0 } = this.#claims.get(handle) ?? {};
      if (until <= Date.now() + CLAIM_MS) continue;
      this.#violations.push(`${actor.name} loaded its tasks module before it had a claim.`);
    }
  }

  /** A worker function's invocation has ended, and keeps messages. */
  keeps(actor: Actor, handles: readonly string[]): void {
    for (const handle of handles) {
      const claim = this.#claims.get(handle);
      // A lost message is held by another worker.
      if (claim?.message.handle !== handle || claim.until <= Date.now() + GRACE_MS) continue;
      const { message, begunAt } = claim;
      // A chunk of a slow lane is hidden for a pause before each time that it begins.
      if (message.hasBounds && begunAt === undefined) continue;
      if (this.#givenUp.has(handle)) this.#log.mark('chunk shown again');
      else this.#violations.push(`${actor.name} kept a chunk hidden that it did not finish.`);
    }
  }

  /** Whether a worker sends on an input that it runs, so that another one runs it a second time. */
  isHedged(actor: Actor, { runId, attempt, hedge }: Message, index: number): boolean {
    const claims = this.#claimsOn(actor, runId, index);
    return !hedge && claims.some(({ message: m }) => m.hedge && m.attempt === attempt);
  }

  /** A worker's message with an input was accepted: perhaps the next attempt at it. */
  sentOn(call: SqsCall, { runId, attempt, stalled }: Message, index: number): void {
    if (stalled !== undefined) return;
    const held = this.#claimsOn(call.actor, runId, index).map(({ message }) => message.attempt);
    if (held.includes(attempt - 1) && !held.includes(attempt)) this.ended(call, runId, index);
  }

  /** A worker reported the outcome of an execution: a result or a further attempt, only one of them. */
  ended({ actor, attempt }: SqsCall, runId: string, index: number): void {
    // A call that the SDK repeats may have arrived before.
    if (attempt > 1) return;
    const { ran, ended } = this.#run(runId).item(index);
    const times = (ended.get(actor) ?? 0) + 1;
    ended.set(actor, times);
    const executions = ran.get(actor) ?? 0;
    if (times <= executions) return;
    this.#violations.push(
      `${actor.name} told ${times} outcomes of input ${index} of run ${runId}, which it ran ${executions} times.`,
    );
  }

  /**
   * A worker got no response to an accepted further attempt. If SQS accepts the SDK's retry but
   * refuses the entry, the worker sends it again in a new call.
   */
  lostResponse(actor: Actor, runId: string, index: number): void {
    const { ended } = this.#run(runId).item(index);
    ended.set(actor, Math.max(0, (ended.get(actor) ?? 0) - 1));
  }

  #claimsOn(actor: Actor, runId: string, index: number): Claim[] {
    return [...(this.#hands.get(actor) ?? [])]
      .flatMap((handle) => this.#claims.get(handle) ?? [])
      .filter(({ message }) => message.runId === runId && message.indexes.includes(index));
  }

  #sendsOn(actor: Actor, body: string): void {
    const sent = readMessage(body);
    if (sent === undefined) return;
    const now = trueNow();
    const claimed = new Map<number, Claim>();
    const hand = this.#hands.get(actor) ?? new Set();
    for (const handle of hand) {
      const claim = this.#claims.get(handle);
      if (claim === undefined || now > claim.until + GRACE_MS) hand.delete(handle);
      else if (claim.message.runId === sent.runId) {
        for (const index of claim.message.indexes) claimed.set(index, claim);
      }
    }
    for (const index of sent.indexes) {
      const what = `${actor.name} sent input ${index} of run ${sent.runId}`;
      const claim = claimed.get(index);
      if (claim === undefined) this.#violations.push(`${what} on, past its claim on it.`);
      else if (this.#isTooSoon(sent, claim)) {
        this.#violations.push(`${what} back before the end of its slice.`);
      }
    }
  }

  /** Whether the rest of a chunk is sent back although nothing ended its slice. */
  #isTooSoon({ attempt, stalled }: Message, { message, begunAt }: Claim): boolean {
    if (!this.#keepsSlices || begunAt === undefined || stalled !== undefined) return false;
    if (message.hasBounds || message.hedge) return false;
    return attempt === message.attempt && trueNow() < begunAt + this.#sliceMs;
  }
}
