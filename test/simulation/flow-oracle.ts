import type { Bounds } from '../../src/pipeline/messages/flow.ts';
import type { Consumer } from './consumer.ts';
import { type Executions, endOf } from './executions.ts';
import { type BoundsFrom, boundsOf, type FlowWatch } from './flow-watch.ts';
import { isCalm, type Scenario } from './scenario.ts';

/** Shortest time between two readings of a run's tags by one worker, in milliseconds. */
const READ_MS = 10_000;
const READ_MS_EACH = 100;

/** Longest time from a reading that is due to a worker's last start, without faults. */
const SOON_MS = 1_500;

/**
 * The same with faults, when readings may fail until the slice of a chunk ends, and a chunk may
 * start late after the reading that its worker goes by.
 */
const LATE_MS = 180_000;

/** Part of its bounds that a run reaches if it has work and workers. */
const REACHED = 0.9;

/** A start of an attempt, and the end of its execution. */
interface Span {
  index: number;
  at: number;
  until: number;
}

/** Judges the executions of a run by the bounds that it had at the time. */
export class FlowOracle {
  readonly #scenario: Scenario;
  readonly #executions: Executions;
  readonly #flows: FlowWatch;
  readonly #learnMs: number;

  constructor(scenario: Scenario, executions: Executions, flows: FlowWatch) {
    this.#scenario = scenario;
    this.#executions = executions;
    this.#flows = flows;
    const workers = scenario.lambdaWorkers + scenario.pullWorkers;
    const readMs = Math.max(READ_MS, workers * READ_MS_EACH);
    // A worker looks four times in that time whether it is due.
    this.#learnMs = readMs * 1.25 + (isCalm(scenario) ? SOON_MS : LATE_MS);
  }

  /** The faults of a consumer's runs, a sentence each. */
  faultsOf({ name, runIds, plan }: Consumer): string[] {
    return runIds.flatMap((runId) => {
      const bounds = this.#flows.of(runId);
      if (bounds.length === 0) return [];
      const spans = this.#spansOf(runId);
      const found = [
        this.#notAsked(plan.flow?.bounds ?? {}, bounds),
        this.#tooMany(spans, bounds),
        this.#tooFast(spans, bounds),
        this.#paused(spans, bounds),
        this.#tooSlow(plan, spans, bounds),
      ];
      return found.flatMap((fault) => (fault === undefined ? [] : [`${name} ${fault}.`]));
    });
  }

  #spansOf(runId: string): Span[] {
    const timeoutMs = this.#scenario.task.timeoutSeconds * 1000;
    return this.#executions.ofRun(runId).map((execution) => ({
      index: execution.index,
      at: execution.at,
      until: endOf(execution, timeoutMs),
    }));
  }

  #notAsked({ concurrency, rate }: Bounds, [first]: readonly BoundsFrom[]) {
    const asked = [concurrency && `concurrency=${concurrency}`, rate && `rate=${rate}`];
    const { concurrency: most, rate: fastest } = boundsOf(asked.join(' '));
    const isAsked =
      first?.concurrency === most && JSON.stringify(first.rate) === JSON.stringify(fastest);
    return isAsked ? undefined : `began with other bounds than ${asked.join(' ')}`;
  }

  #tooMany(spans: readonly Span[], bounds: readonly BoundsFrom[]): string | undefined {
    let running: Span[] = [];
    for (const span of spans) {
      running = [...running.filter(({ until }) => until > span.at), span];
      const since = Math.min(...running.map(({ at }) => at)) - this.#learnMs;
      const most = Math.max(
        ...during(bounds, since, span.at).map(({ concurrency }) => concurrency),
      );
      if (running.length <= most) continue;
      const inputs = running.map(({ index }) => index);
      return `ran inputs ${inputs.join(', ')} at once at ${time(span.at)}; ${most} were allowed`;
    }
    return undefined;
  }

  #tooFast(spans: readonly Span[], bounds: readonly BoundsFrom[]): string | undefined {
    for (const [first, { at }] of spans.entries()) {
      const windowMs = during(bounds, at, at)[0]?.rate?.windowMs;
      if (windowMs === undefined) continue;
      const rates = during(bounds, at - this.#learnMs, at + windowMs).map(({ rate }) => rate);
      if (rates.some((rate) => rate?.windowMs !== windowMs)) continue;
      const most = Math.max(...rates.map((rate) => rate?.starts ?? 0));
      const beyond = spans[first + most];
      if (beyond === undefined || beyond.at - at >= windowMs) continue;
      return `started over ${most} attempts within ${windowMs / 1000} s from ${time(at)}`;
    }
    return undefined;
  }

  #paused(spans: readonly Span[], bounds: readonly BoundsFrom[]): string | undefined {
    const late = spans.find(({ at }) =>
      during(bounds, at - this.#learnMs, at).every(({ paused }) => paused),
    );
    return late && `started input ${late.index} at ${time(late.at)}, and was paused`;
  }

  #tooSlow(
    { flow }: Consumer['plan'],
    spans: readonly Span[],
    [bounds]: readonly BoundsFrom[],
  ): string | undefined {
    const [first, last] = [spans[0], spans.at(-1)];
    if (!flow?.reach || !bounds || !first || !last) return undefined;
    const { concurrency, rate } = bounds;
    const busyMs = spans.reduce((sum, { at, until }) => sum + until - at, 0);
    const reached = Math.max(
      busyMs / (last.until - first.at) / concurrency,
      rate ? spans.length / (((last.at - first.at) / rate.windowMs) * rate.starts) : 0,
    );
    if (reached >= REACHED) return undefined;
    return `reached ${(reached * 100).toFixed(1)} % of what its bounds allow`;
  }
}

/** The bounds that were valid at any moment from one time to another. */
function during(bounds: readonly BoundsFrom[], from: number, to: number): BoundsFrom[] {
  const valid = bounds.filter(({ at }, which) => {
    const next = bounds[which + 1]?.at ?? Number.POSITIVE_INFINITY;
    return at <= to && next > from;
  });
  return valid.length > 0 ? valid : bounds.slice(0, 1);
}

function time(at: number): string {
  return new Date(at).toISOString().slice(11, 23);
}
