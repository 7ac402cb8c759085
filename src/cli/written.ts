import type { ResultBatch } from '../internal.ts';

/** How many results are written, which is fewer than are known when writing them fails. */
export class Written {
  ok: number;
  failed: number;

  /** @param before what was there from before */
  constructor({ ok, failed }: { ok: number; failed: number } = { ok: 0, failed: 0 }) {
    this.ok = ok;
    this.failed = failed;
  }

  /** @param lines how many of its lines */
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
