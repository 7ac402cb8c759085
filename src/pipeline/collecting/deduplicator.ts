import type { BegunNotice, FailingNotice, ProbedNotice } from '../messages/notice.ts';
import { failedLine, type ResultLine } from '../messages/result.ts';
import { ResultBatch } from '../messages/result-message.ts';
import type { Used } from '../messages/used.ts';
import type { RunLedger } from '../run/ledger.ts';
import { PoisonInputs } from './poison-inputs.ts';
import type { Delivery } from './result-receiver.ts';

/** Events of a whole run that its messages carry. */
export interface RunEvents {
  /** A cancel notice arrived. */
  onCancel(): void;
  /** All inputs may be seeded: the run's tags say whether they are. */
  onSealed(): void;
  /** The seed function can't read the inputs any further. */
  onBroken(message: string): void;
  /** Inputs have failed, or were tried in an outage, in a run that pauses itself when they do. */
  onFailing(notice: FailingNotice | ProbedNotice): void;
  /** A process has used something for the run. */
  onUsed(used: Used): void;
}

/** Passes on the first result of each input, and drops the others; acts on notices. */
export class Deduplicator {
  readonly #ledger: RunLedger;
  readonly #events: RunEvents;
  readonly #begun: BegunNotice[];
  readonly #poisonInputs = new PoisonInputs();

  /** @param begun notices that earlier collectors received; those received here are added */
  constructor(ledger: RunLedger, events: RunEvents, begun: BegunNotice[] = []) {
    this.#ledger = ledger;
    this.#events = events;
    this.#begun = begun;
    for (const notice of begun) this.#poisonInputs.begun(notice);
  }

  /** Enters a delivery in the ledger, and returns the first result of each input. */
  enter(delivery: Delivery): ResultBatch[] {
    const { batches, notices, used } = delivery;
    for (const one of used) this.#events.onUsed(one);
    const fresh = batches.map((batch) => this.#fresh(batch));
    this.#poisonInputs.forget((index) => this.#ledger.has(index));
    const condemned: ResultLine[] = [];
    for (const notice of notices) {
      if (notice.notice === 'cancel') this.#events.onCancel();
      else if (notice.notice === 'sealed') this.#events.onSealed();
      else if (notice.notice === 'broken') this.#events.onBroken(notice.message);
      else if (notice.notice === 'begun') condemned.push(...this.#condemn(notice));
      else this.#events.onFailing(notice);
    }
    if (this.#ledger.isComplete) this.#events.onSealed();
    if (condemned.length > 0) delivery.condemned = condemned.map(({ index }) => index);
    return [...fresh, ResultBatch.ofLines(condemned)].filter(({ count }) => count > 0);
  }

  #fresh(batch: ResultBatch): ResultBatch {
    if (batch.ok && this.#ledger.enterAllOk(batch.ok)) return batch;
    const lines = batch.lines.filter(({ index, status }) => this.#ledger.enter(index, status));
    const fresh = ResultBatch.ofLines(lines);
    // The timing is of the whole message.
    if (fresh.count === batch.count) fresh.timing = batch.timing;
    return fresh;
  }

  #condemn(notice: BegunNotice): ResultLine[] {
    const { index, attempt: attempts, worker } = notice;
    this.#begun.push(notice);
    const isOver = !this.#ledger.has(index) && this.#poisonInputs.begun(notice);
    if (isOver && this.#ledger.enter(index, 'failed')) {
      const message =
        'Several workers started this input, and none reported a result: the task ends their processes, or runs longer than they may.';
      const failure = { code: 'WorkerDied', name: 'WorkerDied', message, attempts } as const;
      return [{ index, status: 'failed', text: failedLine(index, failure, 0, worker) }];
    }
    return [];
  }
}
