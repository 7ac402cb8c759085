import type { ResultBatch } from '../internal.ts';

/** Counts of the results that are written: fewer than collected if a write fails. */
export class Written {
  ok: number;
  failed: number;

  /** @param before counts of the results that the output already had */
  constructor({ ok, failed }: { ok: number; failed: number } = { ok: 0, failed: 0 }) {
    this.ok = ok;
    this.failed = failed;
  }

  /** @param lines number of the batch's lines that were written */
  add(batch: ResultBatch, lines = batch.count): void {
    if (batch.ok) {
      this.ok += lines;
      return;
    }
    for (const { status } of batch.lines.slice(0, lines)) {
      if (status === 'ok') this.ok++;
      else if (status === 'failed') this.failed++;
    }
  }
}
