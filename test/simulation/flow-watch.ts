import { trueNow } from './actors.ts';
import type { SqsCall } from './sqs-call.ts';

/** The bounds of a run, from a time on. */
export interface BoundsFrom {
  at: number;
  concurrency: number;
  /** Undefined: without bound. */
  rate: { starts: number; windowMs: number } | undefined;
  paused: boolean;
}

const WINDOW_MS: Record<string, number> = { s: 10_000, m: 600_000, h: 36_000_000 };

/** The bounds that runs have, as the tags of their queues say. */
export class FlowWatch {
  readonly #byRun = new Map<string, BoundsFrom[]>();

  /** All bounds of a run, in their order. */
  of(runId: string): readonly BoundsFrom[] {
    return this.#byRun.get(runId) ?? [];
  }

  /** A run's queue was created, perhaps once more after it was deleted. */
  created(runId: string, { parameters: { tags = {} } }: SqsCall): void {
    this.#add(runId, { ...boundsOf(tags.flow), paused: false });
  }

  /** A run's queue was tagged. */
  tagged(runId: string, { parameters: { Tags = {} } }: SqsCall): void {
    const before = this.of(runId).at(-1);
    if (before === undefined) return;
    const { concurrency, rate } = Tags.flow === undefined ? before : boundsOf(Tags.flow);
    const paused = Tags.pausedAt === undefined ? before.paused : Number(Tags.pausedAt) > 0;
    if (Tags.flow === undefined && paused === before.paused) return;
    this.#add(runId, { concurrency, rate, paused });
  }

  #add(runId: string, bounds: Omit<BoundsFrom, 'at'>): void {
    this.#byRun.set(runId, [...this.of(runId), { at: trueNow(), ...bounds }]);
  }
}

/** Reads a tag such as `lanes=4 concurrency=8 rate=100/s`. */
export function boundsOf(tag = 'none'): Pick<BoundsFrom, 'concurrency' | 'rate'> {
  const [, concurrency] = /concurrency=(\d+)/.exec(tag) ?? [];
  const [, count, unit = ''] = /rate=(\d+)\/([smh])/.exec(tag) ?? [];
  return {
    concurrency: concurrency === undefined ? Number.POSITIVE_INFINITY : Number(concurrency),
    rate:
      count === undefined
        ? undefined
        : { starts: Number(count) * 10, windowMs: WINDOW_MS[unit] ?? 0 },
  };
}
