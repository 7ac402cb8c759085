import type { BegunNotice } from '../messages/notice.ts';
import { cancelledLine, failedLine, type ResultLine } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import type { Delivery } from './collect.ts';
import type { Account } from './ledger.ts';
import { Suspects } from './suspects.ts';

/** What becomes of inputs that have no result when their run ends before them. */
export type Remainder = 'cancelled' | 'lost';

/** Who reports a result that no worker did. */
const COLLECTOR = 'collector';

/** Takes deliveries in: of each input the first result, and what notices say. */
export class Intake {
  readonly #account: Account;
  readonly #onCancel: () => void;
  readonly #suspects = new Suspects();

  /** @param onCancel called when somebody asks for the run's end */
  constructor(account: Account, onCancel: () => void) {
    this.#account = account;
    this.#onCancel = onCancel;
  }

  /** The results that are the first of their input. */
  enter({ batches, notices }: Delivery): ResultBatch[] {
    const fresh = batches.map((batch) => this.#fresh(batch));
    const condemned: ResultLine[] = [];
    for (const notice of notices) {
      if (notice.notice === 'cancel') this.#onCancel();
      else condemned.push(...this.#condemn(notice));
    }
    return [...fresh, ResultBatch.ofLines(condemned)].filter(({ count }) => count > 0);
  }

  /** Results for all inputs that have none. */
  rest(remainder: Remainder): ResultBatch {
    const lines: ResultLine[] = [];
    const status = remainder === 'lost' ? 'failed' : 'cancelled';
    for (let index = 0; index < this.#account.inputs; index++) {
      if (this.#account.has(index) || !this.#account.enter(index, status)) continue;
      lines.push(remainder === 'lost' ? lostLine(index) : cancelledLine(index));
    }
    return ResultBatch.ofLines(lines);
  }

  #fresh(batch: ResultBatch): ResultBatch {
    if (batch.ok && this.#account.enterAllOk(batch.ok)) return batch;
    return ResultBatch.ofLines(
      batch.lines.filter(({ index, status }) => this.#account.enter(index, status)),
    );
  }

  #condemn(notice: BegunNotice): ResultLine[] {
    const { index, attempt: attempts, worker } = notice;
    if (this.#account.has(index)) this.#suspects.forget(index);
    else if (this.#suspects.begun(notice) && this.#account.enter(index, 'failed')) {
      this.#suspects.forget(index);
      const message =
        'Worker after worker began this input, and none said how it ended: it ends them, or takes longer than they may run.';
      const failure = { code: 'WorkerDied', name: 'WorkerDied', message, attempts } as const;
      return [{ index, status: 'failed', text: failedLine(index, failure, 0, worker) }];
    }
    return [];
  }
}

function lostLine(index: number): ResultLine {
  const message =
    'The deadline of its run came before a result did. Its task may not have been run.';
  const failure = { code: 'Lost', name: 'Lost', message, attempts: 0 } as const;
  return { index, status: 'failed', text: failedLine(index, failure, 0, COLLECTOR) };
}
