import { Account } from '../pipeline/collecting/ledger.ts';
import type { Result } from '../pipeline/messages/result.ts';

/** Where a consumer puts results, and where its run stands: what is here outlives its process. */
export class Disk {
  readonly results: Result<unknown>[] = [];
  /** The run that results came from last, and how many of its inputs were seeded for certain. */
  record: { runId: string; seeded: number } | undefined;
  readonly #indexes = new Set<number>();

  has(index: number): boolean {
    return this.#indexes.has(index);
  }

  write(text: string): void {
    const result = JSON.parse(text) as Result<unknown>;
    this.results.push(result);
    this.#indexes.add(result.index);
  }

  /** The account of what is here, for a run that goes on with it. */
  account(): Account {
    const account = new Account();
    account.inputs = Math.max(0, ...this.results.map(({ index }) => index + 1));
    for (const { index, status } of this.results) account.enter(index, status);
    return account;
  }
}
