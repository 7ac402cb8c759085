import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Account } from '../collecting/ledger.ts';
import { mayPass } from '../faults.ts';
import type { Names } from '../names.ts';
import { findSurely } from '../queues.ts';
import { statusOf, unknownRun } from '../runs/status.ts';
import { wait } from '../send.ts';
import type { Seeds } from './seeds.ts';

/** How often a run is looked at that somebody else still seeds, in milliseconds. */
const LOOK_MS = 2_000;

export interface AttachedOptions {
  sqs: SQSClient;
  names: Names;
  runId: string;
  account: Account;
  /** Has its inputs seeded, and gives the URL of its queue. @default it is there already */
  begin?: () => Promise<string>;
}

/** The inputs of a run that somebody else seeded, or still seeds: how many there are, its tags tell. */
export class Attached implements Seeds {
  readonly queueUrl: Promise<string>;
  readonly done: Promise<void>;
  readonly total: undefined;
  readonly isOurs = false;
  readonly #options: AttachedOptions;
  readonly #stop = new AbortController();

  constructor(options: AttachedOptions) {
    this.#options = options;
    this.queueUrl = this.#find();
    this.done = this.#sealed();
    this.queueUrl.catch(() => {});
    this.done.catch(() => {});
  }

  get known(): number {
    return this.#options.account.inputs;
  }

  get seeded(): number {
    const { sealed, inputs } = this.#options.account;
    return sealed ? inputs : 0;
  }

  stop(): void {
    this.#stop.abort();
  }

  async #find(): Promise<string> {
    const { sqs, names, runId, begin } = this.#options;
    if (begin) return begin();
    const url = await findSurely(sqs, names.run(runId));
    if (url !== undefined) return url;
    throw unknownRun(runId, names.name);
  }

  async #sealed(): Promise<void> {
    const { account } = this.#options;
    await this.queueUrl;
    while (!this.#stop.signal.aborted) {
      const status = await statusOf(this.#options, this.#options.runId).catch((error: unknown) => {
        if (!mayPass(error)) throw error;
        return undefined;
      });
      account.inputs = Math.max(account.inputs, status?.total ?? 0);
      if (status?.state === 'sealed' || isWhole(account, status?.total)) {
        account.sealed = true;
        account.open = false;
        return;
      }
      await wait(LOOK_MS, this.#stop.signal);
    }
  }
}

/**
 * Whether there is a result of each input that the run is to have. Who seeded it may have left when
 * all inputs were with SQS, and before that was said.
 */
function isWhole({ settled }: Account, total: number | undefined): boolean {
  return total !== undefined && settled >= total;
}
