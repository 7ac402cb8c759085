import { Capacity } from './capacity.ts';
import {
  COLLECT_OPTIONS,
  checkInputs,
  checkOrder,
  checkRunOptions,
  nameOfTask,
  STORED_RUN_OPTIONS,
} from './checks.ts';
import { FanfoldError } from './errors.ts';
import type { JsonImage, JsonInput, JsonOutput } from './json-types.ts';
import { closeWhenIdle, keep } from './keep.ts';
import { checkOptions } from './options.ts';
import { Run } from './pipeline/collecting/run.ts';
import type { RunOptions } from './pipeline/collecting/run-options.ts';
import { type CollectOptions, collectRun } from './pipeline/runs/collect-run.ts';
import { isStored, type StoredOptions } from './pipeline/runs/stored-options.ts';
import type { StoredRun } from './pipeline/runs/stored-run.ts';
import { invokeSeed } from './pipeline/seeding/invoke-seed.ts';
import type { Inputs } from './pipeline/seeding/pages.ts';
import type { S3Inputs } from './pipeline/seeding/s3-inputs.ts';
import { makePlan, type Planned } from './plan.ts';
import type { Plan, PlanOptions } from './plan-options.ts';
import { waitFor } from './retry.ts';
import { RunOperations } from './run-operations.ts';
import {
  type AnyTask,
  type InputOf,
  isTask,
  type OutputOf,
  type TaskContext,
  taskOf,
} from './task.ts';
import { refuseUnknown } from './task-registry.ts';
import { storeOf, type World } from './worlds/world.ts';

/** Longest wait for unfinished runs when their connection is closed, in milliseconds. */
const CLOSE_MS = 2_000;

/** A connection to a place where tasks run. Close it, or declare it with `await using`. */
export class Fanfold extends RunOperations implements AsyncDisposable {
  readonly #world: World;
  readonly #runs = new Set<Run | StoredRun>();
  readonly #stays: () => void;
  readonly #capacity: Capacity;
  #failure: FanfoldError | undefined;

  /** Use `connect`. */
  constructor(world: World, onWarning: (message: string) => void = () => {}) {
    super(world);
    this.#world = world;
    this.#capacity = new Capacity(world.deployment, onWarning);
    // Elsewhere, a run continues without this process.
    this.#stays = world.deployment.keep ? closeWhenIdle(() => this.close()) : () => {};
  }

  /** Names of the available tasks; undefined if they can't be known before a run. */
  get tasks(): readonly string[] | undefined {
    return this.#world.tasks;
  }

  /**
   * Checks that the place where tasks run is available, and has this task.
   *
   * @throws FanfoldError `UnknownTask`; `BadOption` when there is no such deployment
   */
  async check(task: string): Promise<void> {
    refuseUnknown(task, this.#world);
    if (this.#world.tasks !== undefined) return;
    const { lambda, names } = this.#world.deployment;
    // A seed function looks for the task first, and seeds nothing without inputs.
    await invokeSeed(lambda, names, { task, inputs: [] });
  }

  /**
   * Runs a task over inputs: yields every input's result exactly once, in the order in which they
   * end, or in input order with `ordered`. The run starts at the call.
   *
   * An error that the inputs' iterable throws ends the run at once: iterating throws it.
   *
   * A task may map on the connection that runs it, if that is in its own process. Elsewhere such a
   * run is refused, since it could wait for itself.
   *
   * ```ts
   * const run = fanfold.map(resize, [{ url: 'data:,hello' }], { ordered: true });
   * for await (const result of run) console.log(result);
   * ```
   *
   * @param task a task, or the name of one that is known where tasks run. In this process also a
   * function: it gets an input and its context, and the defaults of `defineTask` hold for it
   * @throws FanfoldError `UnknownTask`, `Closed`, `NestedRun`; `BadTask`, `BadInput` and
   * `BadOption` for invalid arguments
   */
  map<T extends AnyTask>(
    task: T | string,
    inputs: Inputs<InputOf<T>> | S3Inputs,
    options?: RunOptions,
  ): Run<OutputOf<T>>;
  /** Runs a task on a stack, whose collector function stores the results in S3. */
  map<T extends AnyTask>(
    task: T | string,
    inputs: Inputs<InputOf<T>> | S3Inputs,
    options: StoredOptions,
  ): StoredRun<OutputOf<T>>;
  map<Input, Output>(
    run: ((input: Input, context: TaskContext) => Output | Promise<Output>) &
      JsonInput<Input, 'run'> &
      JsonOutput<Output>,
    inputs: Inputs<Input>,
    options?: RunOptions,
  ): Run<JsonImage<Output>>;
  map(
    given: AnyTask | string | ((input: never, context: TaskContext) => unknown),
    inputs: Inputs<unknown> | S3Inputs,
    options: RunOptions | StoredOptions = {},
  ): Run<unknown> | StoredRun<unknown> {
    if (this.#failure) throw this.#failure;
    checkOrder(given, inputs);
    const isFunction = typeof given === 'function' && this.#world.remove !== undefined;
    const task = isFunction ? taskOf(given) : given;
    const name = nameOfTask(task);
    checkInputs(inputs);
    checkRunOptions(options);
    if (isTask(task)) this.#world.add(task);
    refuseUnknown(name, this.#world);
    this.#world.refuseNested?.();
    void this.#capacity.warnAbove(name, options.concurrency);
    const { deployment } = this.#world;
    if (isStored(options)) {
      const { clients, begin } = storeOf(this.#world);
      return this.#keep(begin(deployment, clients, name, inputs, options));
    }
    const run = new Run<unknown>(deployment, name, inputs, options);
    this.#world.started?.(run.ended);
    if (isFunction && isTask(task)) void run.ended.then(() => this.#world.remove?.(task));
    return this.#keep(run);
  }

  /**
   * Predicts a run before it starts: counts the inputs, and really runs some of them.
   *
   * @throws FanfoldError `TaskFailed` when all of these fail; `BadInput` without inputs; others as
   *   `map`
   */
  plan<T extends AnyTask>(
    task: T | string,
    inputs: Inputs<InputOf<T>>,
    options: PlanOptions = {},
  ): Promise<Plan> {
    const map: Planned['map'] = (name, texts, how) => this.map(name, texts, how);
    return keep(makePlan({ world: this.#world, map }, task, inputs, options));
  }

  #keep<R extends Run | StoredRun>(run: R): R {
    this.#runs.add(run);
    void run.ended.then(() => this.#runs.delete(run));
    return run;
  }

  /**
   * Collects a run that another process started and left. Each result is yielded once; results in
   * `earlier` are not yielded again. The run ends without results that another collector has
   * consumed.
   *
   * @throws FanfoldError `UnknownRun`; `BadOption` when it is of another task, or is being
   * collected
   */
  async collect<T extends AnyTask>(
    task: T | string,
    runId: string,
    options: CollectOptions = {},
  ): Promise<Run<OutputOf<T>>> {
    if (this.#failure) throw this.#failure;
    const name = nameOfTask(task);
    checkOptions(COLLECT_OPTIONS, options);
    return this.#keep(await collectRun<OutputOf<T>>(this.#world.deployment, name, runId, options));
  }

  /**
   * A run whose results are stored in S3, whichever process started it.
   *
   * @param run its id; or the folder of its results, which is necessary a day after its end
   * @throws FanfoldError `UnknownRun`; `BadOption` when its results are not stored
   */
  async stored<T extends AnyTask>(
    run: string,
    options: Pick<StoredOptions, 'ordered'> = {},
  ): Promise<StoredRun<OutputOf<T>>> {
    if (this.#failure) throw this.#failure;
    checkOptions(STORED_RUN_OPTIONS, options);
    const { clients, find } = storeOf(this.#world);
    return this.#keep(await find(this.#world.deployment, clients, run, options));
  }

  /**
   * Inputs of a task that all workers together run at once, approximately; undefined if there is no
   * such task. Once it was asked for, `map` no longer warns of a `concurrency` that is higher.
   *
   * @throws FanfoldError `BadTask` for what is neither a task nor a name
   */
  async capacity(task: AnyTask | string): Promise<number | undefined> {
    return this.#capacity.askedFor(nameOfTask(task));
  }

  /** Ends this connection's runs, with an error for their consumers, and releases all resources. */
  close(): Promise<void> {
    this.#stays();
    return keep(this.#close());
  }

  async #close(): Promise<void> {
    this.fail(new FanfoldError('Closed', 'The connection was closed: connect again.'));
    // Their queues are deleted, unless AWS takes its time: those expire by themselves.
    await waitFor(Promise.all(Array.from(this.#runs, (run) => run.ended)), CLOSE_MS);
    await this.#world.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends all runs with an error, because nothing more can run here. */
  fail(error: FanfoldError): void {
    this.#failure ??= error;
    for (const run of this.#runs) run.fail(error);
  }
}
