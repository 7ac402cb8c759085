import { type Backlog, FanfoldError, type Run, type RunChanges } from '../../index.ts';
import {
  costSoFar,
  createdAt,
  type InputDetail,
  type Knobs,
  type ListedRun,
  type LiveRun,
  type LiveRuns,
  limitOf,
  Polled,
  packed,
  type RunList,
} from '../../internal.ts';
import { RecentRate } from '../recent-rate.ts';
import { reportOf } from '../report.ts';
import type { RunOutput } from '../resume/index.ts';
import { type Connection, nameOf } from '../target.ts';
import { detailOf, type InputSource } from './input-detail.ts';

/** Time that the rate and the remaining time are based on, in milliseconds. */
const WINDOW_MS = 30_000;

/** Interval of looks at the task queue, in milliseconds: each costs money on AWS. */
const BACKLOG_MS = { local: 500, server: 1_000, stack: 5_000 };

/** A run that this command collects. */
export interface CollectedRun extends InputSource {
  run: Run;
  task: string;
  connection: Connection;
  recorded: RunOutput;
  /** Number of inputs, if it is known before they are seeded. */
  total: number | undefined;
}

interface Shown extends CollectedRun {
  rate: RecentRate;
  backlog: Polled<Backlog>;
  isCancelling: boolean;
  hasEnded: boolean;
}

/** The runs of a command that collects them: all is known of them. */
export class CollectedRuns implements LiveRuns {
  readonly #runs = new Map<string, Shown>();
  #place: string | undefined;

  add(collected: CollectedRun): void {
    const { run, connection } = collected;
    const { target, fanfold } = connection;
    this.#place = target.kind === 'local' ? undefined : nameOf(target);
    this.#runs.set(run.runId, {
      ...collected,
      ...{ rate: rateOf(run), isCancelling: false, hasEnded: false },
      backlog: new Polled(() => fanfold.backlog(), BACKLOG_MS[target.kind]),
    });
  }

  /** The command no longer collects the run. */
  ended(runId: string): void {
    const shown = this.#runs.get(runId);
    if (shown) shown.hasEnded = true;
  }

  async list(): Promise<RunList> {
    return { place: this.#place, runs: Array.from(this.#runs.values(), listed) };
  }

  async look(runId: string): Promise<LiveRun> {
    return lookAt(this.#find(runId));
  }

  input(runId: string, index: number): Promise<InputDetail> {
    return detailOf(this.#find(runId), index);
  }

  async cancel(runId: string): Promise<void> {
    const shown = this.#going(runId);
    shown.isCancelling = true;
    await shown.run.cancel().catch((error: unknown) => {
      shown.isCancelling = false;
      throw error;
    });
  }

  async pause(runId: string): Promise<void> {
    await this.#going(runId).run.pause();
  }

  async unpause(runId: string): Promise<void> {
    await this.#going(runId).run.unpause();
  }

  async set(runId: string, knobs: Knobs): Promise<void> {
    // It refuses a rate that is none.
    await this.#going(runId).run.set(knobs as RunChanges);
  }

  #find(runId: string): Shown {
    const shown = this.#runs.get(runId);
    if (shown) return shown;
    throw new FanfoldError('UnknownRun', `This command has no run ${runId}.`);
  }

  #going(runId: string): Shown {
    const shown = this.#find(runId);
    if (!shown.hasEnded && !shown.isCancelling) return shown;
    const state = shown.hasEnded ? 'has ended' : 'is being cancelled';
    throw new FanfoldError('BadOption', `Run ${runId} ${state}: nothing can be changed.`);
  }
}

function rateOf(run: Run): RecentRate {
  return new RecentRate(() => doneOf(run), WINDOW_MS);
}

function doneOf({ ledger: { ok, failed, cancelled } }: Run): number {
  return ok + failed + cancelled;
}

function isHeld({ run: { settings } }: Shown): boolean {
  return settings.pausedAt !== undefined || settings.outage !== undefined;
}

function stateOf(shown: Shown): LiveRun['state'] {
  if (shown.hasEnded) return 'ended';
  if (shown.isCancelling || shown.run.cause !== undefined) return 'cancelling';
  return isHeld(shown) ? 'paused' : 'running';
}

function listed(shown: Shown): ListedRun {
  const { run, task } = shown;
  const { inputs, ok, failed, cancelled, sealed } = run.ledger;
  const counts = { ok, failed, cancelled, inputs, isSealed: sealed };
  const { runId } = run;
  return { runId, task, createdAt: createdAt(runId) ?? 0, state: stateOf(shown), ...counts };
}

function lookAt(shown: Shown): LiveRun {
  const { run, task, connection, recorded, total } = shown;
  const state = stateOf(shown);
  const { inputs, sealed } = run.ledger;
  const done = doneOf(run);
  const all = sealed ? inputs : total;
  const goesOn = state !== 'ended' && state !== 'cancelling';
  const { settings } = run;
  const limit = goesOn
    ? limitOf({ settings, backlog: shown.backlog.latest, left: inputs - done, isSealed: sealed })
    : undefined;
  const inputsToo = shown.output !== undefined || connection.target.kind === 'stack';
  return {
    report: packed(reportOf(run, { task }, connection.target, recorded)),
    ...{ state, because: reasonOf(shown), inputs: all, isSealed: sealed },
    ...speedOf(shown, all),
    ...costSoFar(run.cost, done, all),
    knobs: { concurrency: settings.concurrency ?? null, rate: settings.rate ?? null },
    limit,
    can: [
      ...(goesOn ? (['cancel', 'pause', 'set'] as const) : []),
      ...(inputsToo ? (['inputs'] as const) : []),
    ],
  };
}

/** Why it is paused or ended early, as a sentence. */
function reasonOf({ run, hasEnded }: Shown): string | undefined {
  const { cause, settings, ledger } = run;
  if (cause !== undefined) return `It ended early: ${cause}.`;
  if (hasEnded) {
    const isWhole = ledger.sealed && doneOf(run) === ledger.inputs;
    return isWhole ? undefined : 'The command ended before the run did: its terminal says why.';
  }
  if (settings.pausedAt !== undefined) {
    return `It was paused at ${new Date(settings.pausedAt).toISOString()}.`;
  }
  return settings.outage && `It has paused itself: ${settings.outage.reason}.`;
}

function speedOf(shown: Shown, all: number | undefined): Pick<LiveRun, 'rate' | 'etaMs'> {
  const { run } = shown;
  // Progress during a pause says nothing about the time after it.
  if (isHeld(shown)) shown.rate = rateOf(run);
  if (stateOf(shown) !== 'running') return { rate: undefined, etaMs: undefined };
  const rate = shown.rate.perSecond();
  const etaMs = all === undefined || rate === 0 ? undefined : ((all - doneOf(run)) / rate) * 1000;
  return { rate, etaMs };
}
