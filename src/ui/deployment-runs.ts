import { FanfoldError } from '../errors.ts';
import type { Fanfold } from '../fanfold.ts';
import { checkRunId } from '../pipeline/run/status.ts';
import type { RunChanges } from '../pipeline/seeding/set-run.ts';
import type { Statistics } from '../report/statistics.ts';
import type { LiveRuns } from './live-runs.ts';
import { Polled } from './polled.ts';
import type { InputDetail, Knobs, LiveRun, RunList } from './protocol.ts';
import { shownExample, shownLine } from './result-shown.ts';
import { type Known, latestOf, listedOf, liveOf, stateOf } from './status-shown.ts';

/** What is asked of a deployment. */
export type Place = Pick<
  Fanfold,
  | 'runs'
  | 'endedRuns'
  | 'status'
  | 'statistics'
  | 'result'
  | 'backlog'
  | 'cancel'
  | 'pause'
  | 'unpause'
  | 'set'
>;

export interface DeploymentOptions {
  /** Its name for people. */
  name: string;
  /** Least time between two readings of the same, in milliseconds. */
  everyMs: number;
  /** The address of an input's log lines. @default none are kept */
  logLink?: ((runId: string, index: number) => Promise<string>) | undefined;
}

/** Most runs that are remembered: a page asks for any id. */
const MOST_RUNS = 1_000;

/** Least time between two readings of a run's statistics, in milliseconds: they may be large. */
const STATISTICS_MS = 2_000;

/** Shortest time that a rate is told from, in milliseconds. */
const LEAST_RATE_MS = 1_000;

/** A run that a page has looked at. */
interface Looked {
  polled: Polled<Known | undefined>;
  last: Known | undefined;
  statistics: Polled<Statistics | undefined>;
  /** When its collector had counted how many results, to know the rate. */
  counted: { at: number; done: number } | undefined;
  rate: number | undefined;
  isCancelling: boolean;
}

/**
 * The runs of a deployment, whichever process collects them: their ledgers are known, and the
 * statistics that their collectors publish.
 */
export class DeploymentRuns implements LiveRuns {
  readonly #place: Place;
  readonly #options: DeploymentOptions;
  readonly #list: Polled<RunList>;
  readonly #backlog: Polled<Awaited<ReturnType<Place['backlog']>>>;
  readonly #looked = new Map<string, Looked>();

  constructor(place: Place, options: DeploymentOptions) {
    this.#place = place;
    this.#options = options;
    this.#list = new Polled(() => this.#readList(), options.everyMs);
    this.#backlog = new Polled(() => place.backlog(), options.everyMs);
  }

  list(): Promise<RunList> {
    return this.#list.now();
  }

  async look(runId: string): Promise<LiveRun> {
    const looked = this.#lookedAt(runId);
    const hasEnded = looked.last && stateOf(looked.last, false) === 'ended';
    const read = await looked.polled.now();
    // It has ended, and its place keeps no list of ended runs, or no longer.
    const run = read ?? (looked.last && endedNow(looked.last, looked.isCancelling));
    if (run === undefined) {
      this.#looked.delete(runId);
      throw this.#unknown(runId);
    }
    looked.last = run;
    // The last ones were published before its end.
    if (stateOf(run, false) === 'ended' && !hasEnded) looked.statistics.expire();
    const statistics = await looked.statistics.now().catch(() => undefined);
    note(looked, run, statistics);
    return liveOf(run, {
      place: this.#options.name,
      ...{ isCancelling: looked.isCancelling, rate: looked.rate, statistics },
      backlog: await this.#backlog.now().catch(() => undefined),
      hasInputs: this.#options.logLink !== undefined,
    });
  }

  async input(runId: string, index: number): Promise<InputDetail> {
    const { logLink, name } = this.#options;
    if (logLink === undefined) {
      const why = `Inputs and results of runs on ${name} are known only where they are collected.`;
      throw new FanfoldError('BadOption', why);
    }
    const looked = this.#lookedAt(runId);
    const run = looked.last ?? (await looked.polled.now());
    const [link, line] = await Promise.all([
      logLink(runId, index),
      run?.output === undefined ? undefined : this.#place.result(run.output, index),
    ]);
    const shown = line
      ? shownLine(line)
      : shownExample(index, await looked.statistics.now().catch(() => undefined));
    return { index, input: undefined, log: [], logLink: link, ...shown };
  }

  async cancel(runId: string): Promise<void> {
    const looked = this.#lookedAt(runId);
    try {
      await this.#change(runId, () => {
        looked.isCancelling = true;
        return this.#place.cancel(runId);
      });
    } catch (error) {
      looked.isCancelling = false;
      throw error;
    }
  }

  pause(runId: string): Promise<void> {
    return this.#change(runId, () => this.#place.pause(runId));
  }

  unpause(runId: string): Promise<void> {
    return this.#change(runId, () => this.#place.unpause(runId));
  }

  set(runId: string, knobs: Knobs): Promise<void> {
    // It refuses a rate that is none.
    return this.#change(runId, () => this.#place.set(runId, knobs as RunChanges));
  }

  async #change(runId: string, change: () => Promise<unknown>): Promise<void> {
    const { last, polled } = this.#lookedAt(runId);
    // Its place would look several times before it says that the run is gone.
    if (last && stateOf(last, false) === 'ended') throw this.#unknown(runId);
    try {
      await change();
    } finally {
      this.#list.expire();
      polled.expire();
    }
  }

  async #readList(): Promise<RunList> {
    const unfinished = await Array.fromAsync(this.#place.runs());
    // Read last: a run that ends meanwhile is listed here before its queue is deleted.
    const ended = (await this.#place.endedRuns()) ?? [];
    const isUnfinished = new Set(unfinished.map(({ runId }) => runId));
    const all = [...unfinished, ...ended.filter(({ runId }) => !isUnfinished.has(runId))];
    const runs = all.map((run) =>
      listedOf(run, this.#looked.get(run.runId)?.isCancelling ?? false),
    );
    return {
      place: this.#options.name,
      runs: runs.toSorted((one, other) => (one.runId < other.runId ? 1 : -1)),
    };
  }

  #lookedAt(runId: string): Looked {
    const known = this.#looked.get(runId);
    if (known) return known;
    checkRunId(runId);
    const { everyMs } = this.#options;
    const polled = new Polled(() => this.#read(runId), everyMs);
    const nothing = { last: undefined, counted: undefined, rate: undefined };
    const readStatistics = async () => looked.last && this.#place.statistics(looked.last);
    const statistics = new Polled(readStatistics, Math.max(everyMs, STATISTICS_MS));
    const looked: Looked = { polled, statistics, ...nothing, isCancelling: false };
    const [oldest = ''] = this.#looked.keys();
    if (this.#looked.size >= MOST_RUNS) this.#looked.delete(oldest);
    this.#looked.set(runId, looked);
    return looked;
  }

  async #read(runId: string): Promise<Known | undefined> {
    const status = await this.#place.status(runId);
    if (status) return status;
    return (await this.#place.endedRuns())?.find((run) => run.runId === runId);
  }

  #unknown(runId: string): FanfoldError {
    const why = `There is no run ${runId} on ${this.#options.name}: it has ended, or never existed.`;
    return new FanfoldError('UnknownRun', why);
  }
}

/** Notes what tells the rate: progress between two reports of the run's collector. */
function note(looked: Looked, run: Known, statistics: Statistics | undefined): void {
  if ('endedAt' in run || run.collectedAt === undefined) return;
  const { at: countedAt, ok, failed } = latestOf(run, statistics);
  const counted = { at: countedAt, done: ok + failed };
  const { at, done } = looked.counted ?? { at: run.createdAt, done: 0 };
  if (counted.at - at < LEAST_RATE_MS) return;
  looked.rate = ((counted.done - done) / (counted.at - at)) * 1000;
  looked.counted = counted;
}

/** A run whose end nobody has told. */
function endedNow(run: Known, isCancelled: boolean): Known {
  if ('endedAt' in run) return run;
  const { runId, task, createdAt, total, ok, failed, collector, output, cost, readAt } = run;
  const whole = { runId, task, createdAt, total, ok, failed, collector, output, cost, readAt };
  const cause = isCancelled ? 'it was cancelled' : 'its last counts are not known here';
  return { ...whole, cancelled: 0, elsewhere: 0, cause, endedAt: readAt };
}
