import type { BegunNotice } from '../messages/notice.ts';
import { failedLine, type ResultLine } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import type { RunLedger } from '../run/ledger.ts';
import type { Delivery } from './collect.ts';
import { Suspects } from './suspects.ts';

/** Who is told of what concerns the whole run. */
export interface Told {
  /** Somebody asks for its end. */
  onCancel(): void;
  /** There is a sign that all inputs are seeded. */
  onSealed(): void;
  /** Its inputs can't be read any further, and why. */
  onBroken(message: string): void;
}

/** Takes deliveries in: of each input the first result, and what notices say. */
export class Intake {
  readonly #ledger: RunLedger;
  readonly #told: Told;
  readonly #suspects = new Suspects();

  constructor(ledger: RunLedger, told: Told) {
    this.#ledger = ledger;
    this.#told = told;
  }

  /** The results that are the first of their input. */
  enter({ batches, notices }: Delivery): ResultBatch[] {
    const fresh = batches.map((batch) => this.#fresh(batch));
    this.#suspects.forget((index) => this.#ledger.has(index));
    const condemned: ResultLine[] = [];
    for (const notice of notices) {
      if (notice.notice === 'cancel') this.#told.onCancel();
      else if (notice.notice === 'sealed') this.#told.onSealed();
      else if (notice.notice === 'broken') this.#told.onBroken(notice.message);
      else condemned.push(...this.#condemn(notice));
    }
    if (this.#ledger.isComplete) this.#told.onSealed();
    return [...fresh, ResultBatch.ofLines(condemned)].filter(({ count }) => count > 0);
  }

  #fresh(batch: ResultBatch): ResultBatch {
    if (batch.ok && this.#ledger.enterAllOk(batch.ok)) return batch;
    return ResultBatch.ofLines(
      batch.lines.filter(({ index, status }) => this.#ledger.enter(index, status)),
    );
  }

  #condemn(notice: BegunNotice): ResultLine[] {
    const { index, attempt: attempts, worker } = notice;
    const isOver = !this.#ledger.has(index) && this.#suspects.begun(notice);
    if (isOver && this.#ledger.enter(index, 'failed')) {
      const message =
        'Worker after worker began this input, and none said how it ended: it ends them, or takes longer than they may run.';
      const failure = { code: 'WorkerDied', name: 'WorkerDied', message, attempts } as const;
      return [{ index, status: 'failed', text: failedLine(index, failure, 0, worker) }];
    }
    return [];
  }
}
