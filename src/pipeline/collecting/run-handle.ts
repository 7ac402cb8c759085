import { FanfoldError } from '../../errors.ts';
import type { Cost } from '../../planning/cost.ts';
import type { Result } from '../messages/result.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Deployment } from '../run/deployment.ts';
import { billOf, type RunBill } from '../run/run-bill.ts';
import type { RunSettings } from '../run/settings.ts';
import type { RunChanges, UnpauseOptions } from '../seeding/set-run.ts';
import { kept } from './kept.ts';
import type { Knobs } from './knobs.ts';
import { allOutputs, outputsOf } from './outputs.ts';
import { type RunObjects, withOutputs } from './with-outputs.ts';

/** What a program does with a run: it reads the results, in one way and once, and sets the run. */
export abstract class RunHandle<Output> implements AsyncIterable<Result<Output>> {
  readonly runId: string;
  readonly #deployment: Deployment;
  readonly #ordered: boolean | undefined;
  /** What the run has used, as far as this process was told; undefined where nothing is billed. */
  protected readonly bill: RunBill | undefined;

  /** @param bill default: a new one */
  constructor(
    deployment: Deployment,
    ordered: boolean | undefined,
    runId: string,
    bill = billOf(deployment, runId),
  ) {
    this.runId = runId;
    this.#deployment = deployment;
    this.#ordered = ordered;
    this.bill = bill;
  }

  /**
   * What the run has cost so far, as metered; undefined where AWS bills nothing, or if it is not
   * known here yet. What workers told only an earlier collector is missing.
   */
  get cost(): Cost | undefined {
    return this.bill?.cost;
  }

  protected abstract readonly knobs: Knobs;

  /** Objects of large inputs and outputs; undefined if its results never refer to any. */
  protected get objects(): RunObjects | undefined {
    return undefined;
  }

  /** Stops taking results. The run goes on. */
  abstract leave(): void;

  /** The results as JSON texts, as they are received. */
  protected abstract received(ordered: boolean | undefined): AsyncGenerator<ResultBatch, void>;

  /** Yields outputs in input order. The first input that did not end `ok` fails the run. */
  outputs(): AsyncGenerator<Output, void> {
    return outputsOf(this.#results(true));
  }

  /** Resolves to all outputs, in input order; rejects with `FailedInputs` if any is missing. */
  all(): Promise<Output[]> {
    return allOutputs(this.#results(false));
  }

  [Symbol.asyncIterator](): AsyncGenerator<Result<Output>, void> {
    return this.#results(this.#ordered);
  }

  /** The results as JSON texts, in batches, for consumers that pass them on without parsing. */
  batches(): AsyncGenerator<ResultBatch, void> {
    return this.#filled(this.#ordered);
  }

  /** The bounds and the deadline, and whether the run is paused. Others can change them too. */
  get settings(): RunSettings {
    return this.knobs.settings;
  }

  /** Changes the run's bounds while it goes on, and returns what holds then. */
  set(changes: RunChanges): Promise<RunSettings> {
    return this.knobs.set(changes);
  }

  /** Starts no further input until `unpause`. Inputs that are running end. The deadline stays. */
  pause(): Promise<RunSettings> {
    return this.knobs.pause();
  }

  /** Lets the run go on, whether it was paused or has paused itself. */
  unpause(options?: UnpauseOptions): Promise<RunSettings> {
    return this.knobs.unpause(options);
  }

  #filled(ordered: boolean | undefined): AsyncGenerator<ResultBatch, void> {
    const { payloads } = this.#deployment;
    const filling = { payloads, objects: () => this.objects, onError: () => this.leave() };
    return kept(withOutputs(this.received(ordered), filling), this.#deployment);
  }

  async *#results(ordered: boolean | undefined): AsyncGenerator<Result<Output>, void> {
    for await (const { lines } of this.#filled(ordered)) {
      for (const { text } of lines) yield JSON.parse(text) as Result<Output>;
    }
  }
}

/** The error of a second reader. */
export function readOnce(runId: string): FanfoldError {
  return new FanfoldError('Closed', `The results of run ${runId} can be read only once.`);
}
