import { CANCEL_OPTIONS, PAUSE_OPTIONS, PRUNE_OPTIONS } from './checks.ts';
import { checkOptions, type NoOptions } from './options.ts';
import { folderOf } from './pipeline/messages/results-place.ts';
import { type Backlog, backlogOf } from './pipeline/run/backlog.ts';
import { type EndedRun, endedRunsOf } from './pipeline/run/ended.ts';
import type { RunSettings } from './pipeline/run/settings.ts';
import { type RunStatus, runsOf, statusOf } from './pipeline/run/status.ts';
import { type Cancelled, cancelRun } from './pipeline/runs/cancel.ts';
import { type PruneOptions, pruneRuns } from './pipeline/runs/collect-run.ts';
import { type Redriven, redrive } from './pipeline/runs/redrive.ts';
import { type KnownRun, statisticsOfRun } from './pipeline/runs/statistics-of-run.ts';
import {
  pauseRun,
  type RunChanges,
  setRun,
  type UnpauseOptions,
  unpauseRun,
} from './pipeline/seeding/set-run.ts';
import type { Statistics } from './report/statistics.ts';
import { storeOf, type World } from './worlds/world.ts';

/** What a connection can do with the runs of a deployment, whichever process began or collects them. */
export abstract class RunOperations {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** The runs of this deployment that are not over, oldest first. */
  runs(): AsyncIterable<RunStatus> {
    return runsOf(this.#world.deployment);
  }

  /**
   * The runs of this deployment that ended in the last day, oldest first; undefined if it keeps no
   * list of them, as in this process, or allows no access to it.
   */
  endedRuns(): Promise<EndedRun[] | undefined> {
    return endedRunsOf(this.#world.deployment);
  }

  /** A run's status; undefined if there is no such run, or it is over. */
  status(runId: string): Promise<RunStatus | undefined> {
    return statusOf(this.#world.deployment, runId);
  }

  /**
   * Statistics of a run of a server or stack, whichever process collects it, as they were published
   * last: up to 30 s ago. Undefined if there are none, as of a run of less than 5 s.
   *
   * ```ts
   * for await (const run of fanfold.runs()) console.log(await fanfold.statistics(run));
   * ```
   *
   * @param run what `runs`, `endedRuns` or `status` says of it
   */
  statistics(run: KnownRun): Promise<Statistics | undefined> {
    const { deployment, store } = this.#world;
    return statisticsOfRun(deployment, store?.clients, run);
  }

  /**
   * The stored result of one input, as a JSON text; undefined if there is none yet, if the results
   * are tables, or if it is not found in the first 64 MiB.
   *
   * @param folder of the run's results, `s3://bucket/prefix/<runId>/`
   * @throws FanfoldError `UnknownRun`; `BadOption` where results are not stored in S3
   */
  async result(folder: string, index: number): Promise<string | undefined> {
    const { clients } = storeOf(this.#world);
    const { storedResult } = await import('./pipeline/storing/stored-result.ts');
    return storedResult(await clients.s3(), folderOf(folder), index);
  }

  /** Numbers of chunks on the task queue, of all runs. */
  backlog(): Promise<Backlog> {
    return backlogOf(this.#world.deployment);
  }

  /**
   * Deletes the queues of runs that have ended or passed their deadline, or with `all` those of all
   * runs; returns these runs.
   */
  prune(options: PruneOptions = {}): Promise<RunStatus[]> {
    checkOptions(PRUNE_OPTIONS, options);
    return pruneRuns(this.#world.deployment, options);
  }

  /**
   * Moves messages that workers could not read, or received too often, from the dead-letter queue
   * back to the task queue. Call it once their problem is fixed. Resolves when SQS has moved them.
   *
   * @param onMoved called with the progress, twice a second
   * @throws FanfoldError `RunFailed` when SQS gives up
   */
  redrive(onMoved?: (sofar: Redriven) => void): Promise<Redriven> {
    return redrive(this.#world.deployment, onMoved);
  }

  /**
   * Cancels a run of this deployment, whichever process collects it: inputs without a result end
   * `cancelled`.
   *
   * @throws FanfoldError `UnknownRun` when there is no such run
   */
  async cancel(runId: string, options: NoOptions = {}): Promise<Cancelled> {
    checkOptions(CANCEL_OPTIONS, options);
    return cancelRun(this.#world.deployment, runId, this.#world.store?.clients.s3);
  }

  /**
   * Changes the bounds of a run while it goes on, whichever process collects it. Returns what holds
   * then: on a server within 2 s; on a stack within 15 s, and later with over 100 workers.
   *
   * ```ts
   * await fanfold.set(runId, { concurrency: 50, rate: null });
   * ```
   *
   * @throws FanfoldError `UnknownRun` when there is no such run, or its results are shared;
   *   `BadOption` for wrong values, none, and a run that is over
   */
  set(runId: string, changes: RunChanges): Promise<RunSettings> {
    return setRun(this.#world.deployment, runId, changes);
  }

  /**
   * Pauses a run: no further input starts, and those that are running end. Its deadline stays.
   *
   * @throws FanfoldError `UnknownRun` as `set`; `BadOption` for a run that is over
   */
  async pause(runId: string, options: NoOptions = {}): Promise<RunSettings> {
    checkOptions(PAUSE_OPTIONS, options);
    return pauseRun(this.#world.deployment, runId);
  }

  /**
   * Lets a run go on that was paused or has paused itself.
   *
   * @throws FanfoldError `UnknownRun` as `set`; `BadOption` for a run that is over, or whose
   *   deadline can't be extended so far
   */
  unpause(runId: string, options?: UnpauseOptions): Promise<RunSettings> {
    return unpauseRun(this.#world.deployment, runId, options);
  }
}
