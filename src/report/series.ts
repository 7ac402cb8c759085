import { type Counted, Sketch } from './sketch.ts';

/** Results that a worker reports together. */
export interface Ended {
  /** Times at which the first and the last of them ended, in milliseconds since 1970. */
  from: number;
  to: number;
  ok: number;
  failed: number;
  /** Their durations. */
  durations: readonly Counted[];
}

/** The results of one step of time. */
export interface Point {
  /** Start of the step, in milliseconds since 1970. */
  at: number;
  ok: number;
  failed: number;
  /** Median and 95th percentile of the durations in milliseconds; missing if there are none. */
  p50?: number;
  p95?: number;
}

/** Most steps of a series. */
const MOST_STEPS = 480;

const FIRST_STEP_MS = 100;

interface Step {
  ok: number;
  failed: number;
  durations: Sketch;
}

/** A series that another process continues. */
export interface SavedSeries {
  stepMs: number;
  steps: [index: number, ok: number, failed: number, durations: readonly Counted[]][];
}

/** Results over time, in constant memory: when there are too many steps, they become longer. */
export class Series {
  #stepMs = FIRST_STEP_MS;
  #steps = new Map<number, Step>();
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** @param saved the results before. @default none */
  constructor(saved?: SavedSeries) {
    if (saved === undefined) return;
    this.#stepMs = saved.stepMs;
    for (const [index, ok, failed, durations] of saved.steps) {
      const step = this.#step(index);
      step.ok = ok;
      step.failed = failed;
      step.durations.merge(durations);
    }
  }

  save(): SavedSeries {
    const steps = Array.from(this.#steps, ([index, { ok, failed, durations }]) => {
      return [index, ok, failed, durations.counted] satisfies SavedSeries['steps'][number];
    });
    return { stepMs: this.#stepMs, steps };
  }

  /** Length of a step, in milliseconds. */
  get stepMs(): number {
    return this.#stepMs;
  }

  add({ from, to, ok, failed, durations }: Ended): void {
    this.#widen(from, to);
    const [first, last] = [this.#indexOf(from), this.#indexOf(to)];
    const steps = last - first + 1;
    // Results that ended one after the other are spread evenly, in whole numbers.
    const before = (at: number) => Math.floor(((ok + failed) * at) / steps);
    const failedBefore = (at: number) => Math.floor((failed * before(at)) / (ok + failed));
    for (let at = 0; at < steps; at++) {
      const all = before(at + 1) - before(at);
      if (all === 0) continue;
      const step = this.#step(first + at);
      const bad = failedBefore(at + 1) - failedBefore(at);
      step.failed += bad;
      step.ok += all - bad;
      step.durations.merge(durations);
    }
  }

  /** The steps from the first with results to the last, those without results included. */
  get points(): Point[] {
    if (this.#steps.size === 0) return [];
    return Array.from({ length: this.#last - this.#first + 1 }, (_, at) =>
      pointOf((this.#first + at) * this.#stepMs, this.#steps.get(this.#first + at)),
    );
  }

  #indexOf(time: number): number {
    return Math.floor(time / this.#stepMs);
  }

  #step(index: number): Step {
    const step = this.#steps.get(index) ?? { ok: 0, failed: 0, durations: new Sketch() };
    this.#steps.set(index, step);
    this.#first = Math.min(this.#first, index);
    this.#last = Math.max(this.#last, index);
    return step;
  }

  #widen(from: number, to: number): void {
    const length = () =>
      Math.max(this.#last, this.#indexOf(to)) - Math.min(this.#first, this.#indexOf(from)) + 1;
    while (length() > MOST_STEPS) {
      const steps = this.#steps;
      this.#stepMs *= 2;
      this.#steps = new Map();
      this.#first = Number.POSITIVE_INFINITY;
      this.#last = Number.NEGATIVE_INFINITY;
      for (const [index, { ok, failed, durations }] of steps) {
        const step = this.#step(Math.floor(index / 2));
        step.ok += ok;
        step.failed += failed;
        step.durations.merge(durations.counted);
      }
    }
  }
}

function pointOf(at: number, step: Step | undefined): Point {
  if (step === undefined) return { at, ok: 0, failed: 0 };
  const { ok, failed, durations } = step;
  const [p50, p95] = [durations.quantile(0.5), durations.quantile(0.95)];
  if (p50 === undefined || p95 === undefined) return { at, ok, failed };
  return { at, ok, failed, p50, p95 };
}
