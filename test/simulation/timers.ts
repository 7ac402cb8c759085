import { type Actor, currentActor } from './actors.ts';

type Callback = (...args: unknown[]) => void;

/** The real functions of time, to restore them. */
const REAL = {
  ...{ setTimeout, clearTimeout, setInterval, clearInterval, Date },
  now: performance.now,
};

/** Longest delay of a timer: Node reduces a longer one to 1. */
const MOST_MS = 2 ** 31 - 1;

/** A timer belongs to the actor that set it, and fires as that actor, or never if the actor is dead. */
class Timer {
  readonly owner: Actor;
  readonly callback: Callback;
  readonly args: unknown[];
  /** Milliseconds between two calls of an interval. */
  readonly everyMs: number | undefined;
  at: number;
  /** Place among the timers of the same moment. */
  order: number;
  /** Place in the heap; -1 once it has fired or was cleared. */
  place = -1;

  constructor(callback: Callback, args: unknown[], everyMs: number | undefined) {
    this.owner = currentActor();
    this.callback = callback;
    this.args = args;
    this.everyMs = everyMs;
    this.at = 0;
    this.order = 0;
  }

  fire(): void {
    if (!this.owner.dead) this.owner.run(() => this.callback(...this.args));
  }

  /** Virtual time keeps no process alive. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

/**
 * The global timers, `Date` and `performance.now`, by a clock that stands still until it is moved
 * to the next timer. Most of a simulation's events are timers, and a general library for fake
 * timers takes ten times as long for each.
 */
export class Timers {
  /** Virtual time, in milliseconds since 1970. */
  now: number;
  readonly #startedAt: number;
  /** A binary heap: the next timer is first. */
  readonly #heap: Timer[] = [];
  #count = 0;
  #isFiring = false;

  constructor(now: number) {
    this.now = now;
    this.#startedAt = now;
  }

  /** Number of timers. */
  get size(): number {
    return this.#heap.length;
  }

  /** Actors of the timers. */
  owners(): Actor[] {
    return this.#heap.map(({ owner }) => owner);
  }

  install(): void {
    const now = () => this.now + currentActor().clockOffMs;
    class VirtualDate extends REAL.Date {
      static override now = now;
      constructor(...args: [] | [number]) {
        if (args.length === 0) super(now());
        else super(...args);
      }
    }
    const set = (callback: Callback, ms?: number, ...args: unknown[]) =>
      this.#add(new Timer(callback, args, undefined), ms);
    const repeat = (callback: Callback, ms?: number, ...args: unknown[]) =>
      this.#add(new Timer(callback, args, delayOf(ms)), ms);
    const clear = (timer: Timer | undefined) => {
      if (timer && timer.place !== -1) this.#remove(timer);
    };
    Object.assign(globalThis, { setTimeout: set, setInterval: repeat, Date: VirtualDate });
    Object.assign(globalThis, { clearTimeout: clear, clearInterval: clear });
    performance.now = () => this.now - this.#startedAt;
  }

  uninstall(): void {
    const { now, ...globals } = REAL;
    Object.assign(globalThis, globals);
    performance.now = now;
  }

  /** Moves the clock to the next timer, and fires it. */
  next(): void {
    const [timer] = this.#heap;
    if (timer === undefined) return;
    this.now = timer.at;
    this.#remove(timer);
    if (timer.everyMs !== undefined && !timer.owner.dead) {
      timer.at += timer.everyMs;
      this.#insert(timer);
    }
    this.#isFiring = true;
    try {
      timer.fire();
    } finally {
      this.#isFiring = false;
    }
  }

  #add(timer: Timer, ms: number | undefined): Timer {
    // Without this, a timer that sets itself again at once would stop time.
    timer.at = this.now + (delayOf(ms) || (this.#isFiring ? 1 : 0));
    this.#insert(timer);
    return timer;
  }

  #insert(timer: Timer): void {
    timer.order = this.#count++;
    this.#heap.push(timer);
    this.#rise(timer, this.#heap.length - 1);
  }

  #remove(timer: Timer): void {
    const { place } = timer;
    timer.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    this.#sink(last, place);
    this.#rise(last, last.place);
  }

  #rise(timer: Timer, from: number): void {
    const heap = this.#heap;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above];
      if (other === undefined || isBefore(other, timer)) break;
      heap[at] = other;
      other.place = at;
      at = above;
    }
    heap[at] = timer;
    timer.place = at;
  }

  #sink(timer: Timer, from: number): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      let other = heap[below];
      if (other === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, other)) {
        other = right;
        below++;
      }
      if (isBefore(timer, other)) break;
      heap[at] = other;
      other.place = at;
      at = below;
    }
    heap[at] = timer;
    timer.place = at;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function delayOf(ms = 0): number {
  return ms > MOST_MS ? 1 : Math.max(0, Math.trunc(ms) || 0);
}
