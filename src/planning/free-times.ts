/** When each of some workers is free: a heap, whose first one is the first that is free. */
export class FreeTimes {
  readonly #times: Float64Array;

  constructor(workers: number) {
    this.#times = new Float64Array(workers);
  }

  /** Gives work to the first one that is free, and returns when it begins. */
  add(ms: number): number {
    const times = this.#times;
    const begin = times[0] ?? 0;
    const end = begin + ms;
    let at = 0;
    for (;;) {
      let next = 2 * at + 1;
      if (next >= times.length) break;
      if (next + 1 < times.length && (times[next + 1] ?? 0) < (times[next] ?? 0)) next++;
      if ((times[next] ?? 0) >= end) break;
      times[at] = times[next] ?? 0;
      at = next;
    }
    times[at] = end;
    return begin;
  }

  /** When the first one is free. */
  get first(): number {
    return this.#times[0] ?? 0;
  }

  /** When all are free. */
  get last(): number {
    return this.#times.reduce((last, time) => Math.max(last, time), 0);
  }

  get mean(): number {
    return this.#times.reduce((sum, time) => sum + time, 0) / this.#times.length;
  }
}
