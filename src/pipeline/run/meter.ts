import { randomBytes } from 'node:crypto';
import type { Used } from '../messages/used.ts';
import { countRequests, kindOf, queueOf, s3KindOf } from './count-requests.ts';
import { readsTags } from './tags.ts';

/** Runs that a process keeps accounts of: one that comes again after that gets a new account. */
const MOST_ACCOUNTS = 1_000;

export interface MeterOptions {
  /** Memory of the function, in MiB. */
  memoryMb: number;
  /** Whether it runs on arm64. @default this process does */
  isArm?: boolean;
  /**
   * Whether it only measures what another deployment would use. Readings of settings do not count
   * then, which are made far more often here than on AWS.
   * @default false
   */
  isAsIf?: boolean;
  /** Duration of INIT, which is billed with the first invocation; in milliseconds. @default 0 */
  initMs?: number;
}

/** What others use for an invocation. */
export type Extra = Partial<Pick<Used, 'standard' | 'fair' | 'fifo'>>;

/**
 * Measures what a function's process uses, for each run that it works on. An invocation's time
 * counts for the run that was worked on last, from its chunk's beginning to that of another run's
 * chunk; what precedes its first chunk counts for that chunk's run.
 */
export class Meter {
  readonly #memoryMb: number;
  readonly #isArm: boolean;
  readonly #isAsIf: boolean;
  readonly #process = randomBytes(6).toString('base64url');
  readonly #accounts = new Map<string, Used>();
  #opened = 0;
  /** What is not any run's yet. */
  #pending: Used;
  #current: Used;
  /** When the time that is not in the current account began; undefined between invocations. */
  #since: number | undefined;
  #begunAt = 0;
  #tailMs = 0;

  constructor(options: MeterOptions) {
    const { memoryMb, isArm = process.arch === 'arm64', isAsIf = false, initMs = 0 } = options;
    this.#isAsIf = isAsIf;
    this.#memoryMb = memoryMb;
    this.#isArm = isArm;
    this.#pending = this.#open();
    this.#pending.ms = initMs;
    this.#current = this.#pending;
  }

  /**
   * An invocation begins.
   *
   * @param extra what others use for it, such as an event source for its receive
   * @param tailMs milliseconds that it goes on after its last chunk
   */
  begin(extra: Extra = {}, tailMs = 0): void {
    this.#begunAt = performance.now();
    this.#since = this.#begunAt;
    this.#tailMs = tailMs;
    // What an invocation used that worked for no run is not another run's.
    if (this.#current === this.#pending && this.#pending.invocations > 0) {
      this.#pending = this.#open();
    }
    this.#current = this.#pending;
    this.#current.invocations++;
    addTo(this.#current, extra);
  }

  /** The invocation ends, about now. Lambda rounds its duration up. */
  end(): void {
    const now = performance.now();
    this.#settle(now);
    const ms = now - this.#begunAt;
    this.#current.ms += Math.ceil(ms) - ms;
    this.#since = undefined;
  }

  /** A chunk of this run begins, or another part of the work for it. */
  workFor(runId: string): void {
    this.#settle();
    const account = this.#accounts.get(runId) ?? this.#open();
    // The last in the map is the one that was used last.
    this.#accounts.delete(runId);
    this.#accounts.set(runId, account);
    const [oldest] = this.#accounts.keys();
    if (this.#accounts.size > MOST_ACCOUNTS && oldest !== undefined) this.#accounts.delete(oldest);
    addTo(account, this.#pending);
    this.#pending = this.#open();
    this.#current = account;
  }

  /** What was used for a run so far; undefined if it was not worked on. */
  usedFor(runId: string): Used | undefined {
    const account = this.#accounts.get(runId);
    if (account === undefined) return undefined;
    if (account === this.#current) this.#settle();
    return { ...account, tailMs: account === this.#current ? this.#tailMs : 0 };
  }

  /**
   * The run that this invocation has worked on last, and what was used for it.
   *
   * @param isEnding whether the invocation is about to end
   */
  last(isEnding: boolean): { runId: string; used: Used } | undefined {
    if (isEnding) this.#tailMs = 0;
    const runId = Array.from(this.#accounts.keys()).at(-1);
    const used = runId === undefined ? undefined : this.usedFor(runId);
    if (runId === undefined || used?.id !== this.#current.id) return undefined;
    return { runId, used };
  }

  /** Counts the requests of a client of SQS. */
  countSqs(client: object): void {
    countRequests(client, (call) => {
      if (this.#isAsIf && readsTags(call)) return;
      this.#current[kindOf(queueOf(call))] += call.requests;
    });
  }

  /** Counts the requests of a client of S3. */
  countS3(client: object): void {
    countRequests(client, (call) => {
      const kind = s3KindOf(call);
      if (kind) this.#current[kind]++;
    });
  }

  #settle(now = performance.now()): void {
    if (this.#since === undefined) return;
    this.#current.ms += now - this.#since;
    this.#since = now;
  }

  #open(): Used {
    const id = `${this.#process}.${this.#opened++}`;
    const requests = { standard: 0, fair: 0, fifo: 0, put: 0, get: 0, bytes: 0 };
    const about = { id, memoryMb: this.#memoryMb, isArm: this.#isArm };
    return { ...about, ms: 0, invocations: 0, ...requests, tailMs: 0 };
  }
}

function addTo(account: Used, more: Partial<Used>): void {
  account.ms += more.ms ?? 0;
  account.invocations += more.invocations ?? 0;
  account.standard += more.standard ?? 0;
  account.fair += more.fair ?? 0;
  account.fifo += more.fifo ?? 0;
  account.put += more.put ?? 0;
  account.get += more.get ?? 0;
}
