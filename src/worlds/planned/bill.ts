import { type Call, kindOf, queueOf } from '../../pipeline/run/count-requests.ts';

/** Calls of one kind, such as ReceiveMessage by the collector. */
export interface Calls {
  calls: number;
  /** Number of requests that AWS bills for them. */
  billed: number;
}

/** Invocations of one function. */
export interface Invocations {
  count: number;
  /** Billed milliseconds, rounded up for each invocation. */
  ms: number;
}

/** An answer with a message is larger than this. */
const EMPTY_BYTES = 200;

/** What was billed, in numbers that can be added, and multiplied. */
export interface Counts {
  /** Milliseconds of the seed. */
  seedMs: number;
  /** Milliseconds of workers. */
  workerMs: number;
  invocations: number;
  /** Requests of SQS by the functions and for them, by kind of queue. */
  standard: number;
  fair: number;
  fifo: number;
  /** Requests of the collector for results: receives and deletes. */
  collected: number;
  /** Its other requests. */
  collectorOther: number;
  /** Messages of results that workers sent. */
  messages: number;
  egressBytes: number;
  logBytes: number;
}

/** Counts the calls, invocations and bytes that AWS would bill for a deployment. */
export class Bill {
  /** Calls by caller and action. */
  readonly sqs = new Map<string, Calls>();
  /** Invocations by function name. */
  readonly lambda = new Map<string, Invocations>();
  /** Bytes that leave AWS: the responses to the collector. */
  egressBytes = 0;
  /** Bytes that functions log. */
  logBytes = 0;
  /** Number of invocations that go on, by their beginning. */
  readonly #running = new Map<number, number>();
  readonly #counts: Omit<
    Counts,
    'seedMs' | 'workerMs' | 'invocations' | 'egressBytes' | 'logBytes'
  > = {
    ...{ standard: 0, fair: 0, fifo: 0 },
    ...{ collected: 0, collectorOther: 0, messages: 0 },
  };

  /** @param caller such as `collector`, which is outside AWS */
  addCall(caller: string, call: Call): void {
    const action = call.command.replace(/Command$/, '');
    const calls = entry(this.sqs, `${caller} ${action}`, { calls: 0, billed: 0 });
    calls.calls++;
    calls.billed += call.requests;
    const counts = this.#counts;
    const kind = kindOf(queueOf(call));
    if (caller === 'collector') {
      this.egressBytes += call.receivedBytes;
      counts[/Receive|Delete/.test(action) ? 'collected' : 'collectorOther'] += call.requests;
      return;
    }
    if (caller === 'worker' && action === 'SendMessage' && kind === 'standard') counts.messages++;
    // They are the stack's, with a run or without.
    const isIdle = action === 'ReceiveMessage' && call.receivedBytes < EMPTY_BYTES;
    if (caller !== 'poller' || !isIdle) counts[kind] += call.requests;
  }

  /** An invocation has begun. Returns what must be called at its end. */
  begin(name: string, begunAt: number): () => void {
    this.#running.set(begunAt, (this.#running.get(begunAt) ?? 0) + 1);
    return () => {
      const others = (this.#running.get(begunAt) ?? 1) - 1;
      if (others > 0) this.#running.set(begunAt, others);
      else this.#running.delete(begunAt);
      const invocations = entry(this.lambda, name, { count: 0, ms: 0 });
      invocations.count++;
      invocations.ms += Math.ceil(performance.now() - begunAt);
    };
  }

  /** Billed requests whose kind matches. */
  requests(kind = /./): number {
    let sum = 0;
    for (const [name, { billed }] of this.sqs) if (kind.test(name)) sum += billed;
    return sum;
  }

  get invocations(): number {
    return [...this.lambda.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** Milliseconds of all functions. */
  get ms(): number {
    return [...this.lambda.values()].reduce((sum, { ms }) => sum + ms, 0);
  }

  /**
   * What was billed so far, without receives of no message by the event sources. Invocations that
   * go on count for their time so far: those of burst workers take long.
   */
  get counts(): Counts {
    const seedMs = this.lambda.get('seed')?.ms ?? 0;
    const { invocations, egressBytes, logBytes } = this;
    const now = performance.now();
    let runningMs = 0;
    for (const [begunAt, count] of this.#running) runningMs += count * (now - begunAt);
    return {
      ...this.#counts,
      ...{ seedMs, workerMs: this.ms - seedMs + runningMs, invocations, egressBytes, logBytes },
    };
  }
}

function entry<T>(map: Map<string, T>, key: string, first: T): T {
  const found = map.get(key) ?? first;
  map.set(key, found);
  return found;
}
