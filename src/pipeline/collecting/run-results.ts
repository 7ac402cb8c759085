import type { Result } from '../messages/result.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Deployment } from '../run/deployment.ts';
import { kept } from './kept.ts';
import { allOutputs, outputsOf } from './outputs.ts';

/** The ways in which a consumer reads a run's results: one of them, once. */
export abstract class RunResults<Output> implements AsyncIterable<Result<Output>> {
  readonly #deployment: Deployment;
  readonly #ordered: boolean | undefined;

  constructor(deployment: Deployment, ordered: boolean | undefined) {
    this.#deployment = deployment;
    this.#ordered = ordered;
  }

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
    return kept(this.received(this.#ordered), this.#deployment);
  }

  async *#results(ordered: boolean | undefined): AsyncGenerator<Result<Output>, void> {
    for await (const { lines } of kept(this.received(ordered), this.#deployment)) {
      for (const { text } of lines) yield JSON.parse(text) as Result<Output>;
    }
  }
}
