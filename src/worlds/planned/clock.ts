type Callback = (...args: unknown[]) => void;

/** The real functions of time, to restore them. */
const REAL = {
  ...{ setTimeout, clearTimeout, setInterval, clearInterval, Date },
  now: performance.now,
};

const turn = setImmediate;

/** Longest delay of a timer: Node reduces a longer one to 1. */
const MOST_MS = 2 ** 31 - 1;

/** A timer of a virtual clock. */
export class VirtualTimer {
  readonly callback: Callback;
  readonly args: unknown[];
  /** Milliseconds between two calls of an interval. */
  readonly everyMs: number | undefined;
  at = 0;
  /** Place among the timers of the same moment. */
  order = 0;
  /** Place in the heap; -1 once it has fired or was cleared. */
  place = -1;

  constructor(callback: Callback, args: unknown[], everyMs: number | undefined) {
    this.callback = callback;
    this.args = args;
    this.everyMs = everyMs;
  }

  /** Whether an interval goes on. */
  get repeats(): boolean {
    return this.everyMs !== undefined;
  }

  fire(): void {
    this.callback(...this.args);
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
 * to the next timer. Most events of a simulated run are timers, and a general library for fake
 * timers takes ten times as long for each.
 */
export class VirtualClock<T extends VirtualTimer = VirtualTimer> {
  /** Virtual time, in milliseconds since 1970. */
  now: number;
  readonly #startedAt: number;
  /** A binary heap: the next timer is first. */
  readonly #heap: T[] = [];
  readonly #make: new (
    ...timer: ConstructorParameters<typeof VirtualTimer>
  ) => T;
  #count = 0;
  #isFiring = false;

  /** @param make the class of its timers */
  constructor(now: number, make: new (...timer: ConstructorParameters<typeof VirtualTimer>) => T) {
    this.now = now;
    this.#startedAt = now;
    this.#make = make;
  }

  /** Number of timers. */
  get size(): number {
    return this.#heap.length;
  }

  /** The timers, in no order. */
  get timers(): readonly T[] {
    return this.#heap;
  }

  /** @param now reads the clock, for `Date`. @default it is right */
  install(now = () => this.now): void {
    class VirtualDate extends REAL.Date {
      static override now = now;
      constructor(...args: [] | [number]) {
        if (args.length === 0) super(now());
        else super(...args);
      }
    }
    const set = (callback: Callback, ms?: number, ...args: unknown[]) =>
      this.#add(new this.#make(callback, args, undefined), ms);
    const repeat = (callback: Callback, ms?: number, ...args: unknown[]) =>
      this.#add(new this.#make(callback, args, delayOf(ms)), ms);
    const clear = (timer: T | undefined) => {
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
    if (timer.repeats) {
      timer.at += timer.everyMs ?? 0;
      this.#insert(timer);
    }
    this.#isFiring = true;
    try {
      timer.fire();
    } finally {
      this.#isFiring = false;
    }
  }

  /** Lets time pass until it is done. Work that needs no time ends before the clock moves. */
  async pass(isDone: () => boolean): Promise<void> {
    for (;;) {
      await new Promise((resolve) => void turn(resolve));
      if (isDone()) return;
      this.next();
    }
  }

  #add(timer: T, ms: number | undefined): T {
    // Without this, a timer that sets itself again at once would stop time.
    timer.at = this.now + (delayOf(ms) || (this.#isFiring ? 1 : 0));
    this.#insert(timer);
    return timer;
  }

  #insert(timer: T): void {
    timer.order = this.#count++;
    this.#heap.push(timer);
    this.#rise(timer, this.#heap.length - 1);
  }

  #remove(timer: T): void {
    const { place } = timer;
    timer.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    this.#sink(last, place);
    this.#rise(last, last.place);
  }

  #rise(timer: T, from: number): void {
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

  #sink(timer: T, from: number): void {
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

function isBefore(one: VirtualTimer, other: VirtualTimer): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}

function delayOf(ms = 0): number {
  return ms > MOST_MS ? 1 : Math.max(0, Math.trunc(ms) || 0);
}
