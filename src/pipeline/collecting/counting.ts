import { serviceNow } from '../../clock.ts';
import type { Statistics } from '../../report/statistics.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Deployment } from '../run/deployment.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { Knobs } from './knobs.ts';
import { Outages } from './outages.ts';
import { PublishedStatistics } from './published-statistics.ts';
import { type Budget, budgetOf, type RunOptions } from './run-options.ts';
import { RunStatistics } from './run-statistics.ts';

export interface CountingOptions {
  options: RunOptions;
  ledger: RunLedger;
  knobs: Knobs;
  runId: string;
  /** Statistics that a store keeps. @default new ones, which are published if others may look */
  statistics: RunStatistics | undefined;
  /** The number of inputs, if it is known. */
  total: () => number | undefined;
  /** Called when more inputs have failed than may. */
  onOverBudget: (failed: number) => void;
}

/** What is counted of a run's results as they arrive: it may pause the run, or end it. */
export class Counting {
  readonly outages: Outages;
  readonly #statistics: RunStatistics;
  readonly #published: PublishedStatistics | undefined;
  readonly #ledger: RunLedger;
  readonly #budget: Budget | undefined;
  readonly #total: () => number | undefined;
  readonly #onOverBudget: (failed: number) => void;

  constructor(deployment: Deployment, counted: CountingOptions) {
    const { options, runId, ledger, knobs } = counted;
    const { sqs, deaths } = deployment;
    this.outages = new Outages(knobs, sqs, options);
    const kept = counted.statistics;
    this.#statistics = kept ?? RunStatistics.of(runId, () => serviceNow(sqs), { deaths });
    const content = () => this.#statistics.save(ledger);
    if (!kept) this.#published = PublishedStatistics.of(deployment, runId, content);
    this.#ledger = ledger;
    this.#budget = budgetOf(options);
    this.#total = counted.total;
    this.#onOverBudget = counted.onOverBudget;
  }

  /** Statistics of the results so far. */
  get statistics(): Statistics {
    return this.#statistics.snapshot(this.#ledger);
  }

  /** Counts first results that workers have sent. */
  arrived(fresh: readonly ResultBatch[]): void {
    this.#statistics.time(fresh);
    this.#published?.start();
    this.outages.count(fresh);
    if (this.#budget?.(this.#ledger, this.#total())) this.#onOverBudget(this.#ledger.failed);
  }

  /** No more results arrive. Resolves once others can see the last statistics. */
  async end(): Promise<void> {
    this.outages.end();
    await this.#published?.end();
  }

  /** Counts the failures of results that are handed on. */
  taken(batch: ResultBatch): void {
    this.#statistics.failed(batch);
  }
}
