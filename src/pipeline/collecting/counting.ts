import { serviceNow } from '../../clock.ts';
import type { Statistics } from '../../report/statistics.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import { createdAt } from '../names.ts';
import type { Deployment } from '../run/deployment.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { Knobs } from './knobs.ts';
import { Outages } from './outages.ts';
import { type Budget, budgetOf, type RunOptions } from './run-options.ts';
import { RunStatistics } from './run-statistics.ts';

/** Inputs that are named once no others are left. */
const MOST_LEFT = 10;

export interface CountingOptions {
  options: RunOptions;
  ledger: RunLedger;
  knobs: Knobs;
  runId: string;
  /** The number of inputs, if it is known. */
  total: () => number | undefined;
  /** Called when more inputs have failed than may. */
  onOverBudget: (failed: number) => void;
}

/** What is counted of a run's results as they arrive: it may pause the run, or end it. */
export class Counting {
  readonly outages: Outages;
  readonly #statistics: RunStatistics;
  readonly #ledger: RunLedger;
  readonly #budget: Budget | undefined;
  readonly #total: () => number | undefined;
  readonly #onOverBudget: (failed: number) => void;

  constructor({ sqs, deaths }: Pick<Deployment, 'sqs' | 'deaths'>, counted: CountingOptions) {
    const { options, runId, ledger, knobs } = counted;
    this.outages = new Outages(knobs, sqs, options);
    const now = () => serviceNow(sqs);
    this.#statistics = new RunStatistics(createdAt(runId) ?? now(), now, deaths);
    this.#ledger = ledger;
    this.#budget = budgetOf(options);
    this.#total = counted.total;
    this.#onOverBudget = counted.onOverBudget;
  }

  /** Statistics of the results so far. */
  get statistics(): Statistics {
    return this.#statistics.snapshot(this.#ledger.snapshot(), this.#ledger.left(MOST_LEFT));
  }

  /** Counts first results that workers have sent. */
  arrived(fresh: readonly ResultBatch[]): void {
    this.#statistics.time(fresh);
    this.outages.count(fresh);
    if (this.#budget?.(this.#ledger, this.#total())) this.#onOverBudget(this.#ledger.failed);
  }

  /** Counts the failures of results that are handed on. */
  taken(batch: ResultBatch): void {
    this.#statistics.failed(batch);
  }
}
