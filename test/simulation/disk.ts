import { linesOf, resultOf, wholeLength } from '../../src/cli/resume/result-lines.ts';
import type { Result } from '../../src/pipeline/messages/result.ts';
import { RunLedger } from '../../src/pipeline/run/ledger.ts';

/** A consumer's disk, with its results and the record of its run: they outlive its process. */
export class Disk {
  readonly results: Result<unknown>[] = [];
  /** The run of the latest results, and the number of its inputs that are certainly seeded. */
  record: { runId: string; seeded: number } | undefined;
  readonly #indexes = new Set<number>();
  /** The output file, as the command line writes it and reads it again. */
  #file = Buffer.alloc(0);

  has(index: number): boolean {
    return this.#indexes.has(index);
  }

  write(text: string): void {
    this.#append(`${text}\n`);
    const result = JSON.parse(text) as Result<unknown>;
    this.results.push(result);
    this.#indexes.add(result.index);
  }

  /** Writes a part of a line: its process dies meanwhile. @param part of it, below 1 */
  writePart(text: string, part: number): void {
    this.#append(text.slice(0, Math.ceil(text.length * part)));
  }

  /** The ledger of the stored results, for a run that resumes from them. */
  ledger(): RunLedger {
    this.#file = this.#file.subarray(0, wholeLength(this.#file));
    const ledger = new RunLedger();
    for (const [at, line] of linesOf(this.#file).entries()) {
      const { index, status } = resultOf('results.jsonl', line, at + 1);
      ledger.expect(index + 1);
      ledger.enter(index, status);
    }
    return ledger;
  }

  #append(text: string): void {
    this.#file = Buffer.concat([this.#file, Buffer.from(text)]);
  }
}
