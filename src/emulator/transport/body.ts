import type { IncomingMessage } from 'node:http';

/** The reason why a body is not read to its end. */
export type BodyFault = 'tooLong' | 'noRoom';

/** Memory cost of a chunk in addition to its bytes: a body can arrive in chunks of one byte. */
const CHUNK_BYTES = 256;

/** Time for a client that sends more than is read to see its answer, in milliseconds. */
const LINGER_MS = 1_000;

/**
 * The memory that arriving bodies share. When it is full, the largest body is given up: a flood
 * makes room for others, and small requests are still served.
 */
export class BodyBudget {
  readonly #maxBytes: number;
  readonly #held = new Map<ArrivingBody, number>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  hold(body: ArrivingBody, bytes: number): void {
    this.#held.set(body, (this.#held.get(body) ?? 0) + bytes);
    this.#bytes += bytes;
    while (this.#bytes > this.#maxBytes) this.#largest().giveUp('noRoom');
  }

  release(body: ArrivingBody): void {
    this.#bytes -= this.#held.get(body) ?? 0;
    this.#held.delete(body);
  }

  #largest(): ArrivingBody {
    let [largest] = this.#held;
    for (const one of this.#held) if (largest === undefined || one[1] > largest[1]) largest = one;
    if (largest === undefined)
      throw new Error('The buffer is over its limit although it is empty.');
    return largest[0];
  }
}

type Done = (body: Uint8Array | BodyFault) => void;

export interface Reading {
  /** Longest body that is accepted. */
  readonly maxBytes: number;
  /** Bytes that are still read, and dropped, of a body that is given up or refused. */
  readonly dropBytes: number;
  readonly budget: BodyBudget;
  /** Whether the sender is unknown: other requests get a turn after each of its chunks. */
  readonly isStranger: boolean;
}

/**
 * A request's body, which is read whole unless the client disconnects first:
 *
 *   arriving -> whole: `done` receives it
 *            -> given up: `done` receives the reason, and the rest is dropped
 */
export class ArrivingBody {
  readonly #request: IncomingMessage;
  readonly #reading: Reading;
  readonly #done: Done;
  readonly #onData = (chunk: Buffer) => this.#take(chunk);
  readonly #onEnd = () => this.#end();
  #chunks: Buffer[] = [];
  #bytes = 0;
  #isHeld = false;

  constructor(request: IncomingMessage, reading: Reading, done: Done) {
    this.#request = request;
    this.#reading = reading;
    this.#done = done;
    request.on('data', this.#onData);
    request.on('end', this.#onEnd);
  }

  giveUp(fault: BodyFault): void {
    this.#chunks = [];
    if (this.#isHeld) this.#reading.budget.release(this);
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
    dropBody(this.#request, this.#reading.dropBytes);
    this.#done(fault);
  }

  #take(chunk: Buffer): void {
    const { maxBytes, budget, isStranger } = this.#reading;
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) {
      this.giveUp('tooLong');
      return;
    }
    this.#chunks.push(chunk);
    // Most bodies arrive in one piece, and are processed before another arrives.
    const isWhole = this.#bytes === Number(this.#request.headers['content-length']);
    if (isWhole && !this.#isHeld) return;
    if (!this.#isHeld) {
      this.#isHeld = true;
      this.#request.on('close', () => budget.release(this));
    }
    if (isStranger) takeTurns(this.#request);
    budget.hold(this, chunk.length + CHUNK_BYTES);
  }

  #end(): void {
    if (this.#isHeld) this.#reading.budget.release(this);
    const [only] = this.#chunks;
    this.#done(
      only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks),
    );
  }
}

/**
 * Drops a body that is refused. Much of it is read first, since a client that is still sending
 * would not see the refusal; then the connection is destroyed.
 */
export function dropBody(request: IncomingMessage, dropBytes: number): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= dropBytes) takeTurns(request);
    else {
      request.pause();
      setTimeout(() => request.destroy(), LINGER_MS).unref();
    }
  });
}

/** Without it, libuv would read up to 2 MiB from each connection before it turns to the next. */
function takeTurns(request: IncomingMessage): void {
  request.pause();
  setImmediate(() => request.resume());
}
