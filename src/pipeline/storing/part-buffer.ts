import type { ResultLine } from '../messages/result.ts';
import type { ResultBatch } from '../messages/result-message.ts';
import type { Part } from './state.ts';

/** Results that wait to be stored: those that are `ok`, and the others. */
export class PartBuffer {
  readonly ok = new Kept();
  readonly others = new Kept();

  add(batch: ResultBatch): void {
    if (batch.ok) {
      for (const [first, last] of batch.ok) this.ok.span(first, last);
      this.ok.push(batch.text, batch.count);
      return;
    }
    for (const line of batch.lines) (line.status === 'ok' ? this.ok : this.others).line(line);
  }

  get count(): number {
    return this.ok.count + this.others.count;
  }

  /** Bytes of their texts. */
  get length(): number {
    return this.ok.length + this.others.length;
  }
}

/** Texts of results, in order of arrival. They are kept as bytes, outside of the heap. */
export class Kept {
  #chunks: Buffer[] = [];
  count = 0;
  length = 0;
  #first = Number.POSITIVE_INFINITY;
  #last = 0;

  get indexes(): Part['indexes'] {
    return [this.#first, this.#last];
  }

  line({ index, text }: ResultLine): void {
    this.span(index, index);
    this.push(text, 1);
  }

  span(first: number, last: number): void {
    this.#first = Math.min(this.#first, first);
    this.#last = Math.max(this.#last, last);
  }

  /** Counts a result whose text is kept elsewhere. */
  counted(index: number): void {
    this.span(index, index);
    this.count++;
  }

  /** @param text one or more lines */
  push(text: string, count: number): void {
    const chunk = Buffer.from(text);
    this.#chunks.push(chunk);
    this.count += count;
    this.length += chunk.length + 1;
  }

  /** Single lines. */
  *lines(): Generator<string, void> {
    for (const chunk of this.#chunks) yield* chunk.toString().split('\n');
  }

  /** Single lines, which are not kept any longer. */
  *taken(): Generator<string, void> {
    const chunks = this.#chunks.reverse();
    this.#chunks = [];
    for (let chunk = chunks.pop(); chunk; chunk = chunks.pop()) {
      yield* chunk.toString().split('\n');
    }
  }

  /** Single lines, sorted by index, which are not kept any longer. */
  sorted(): string[] {
    return [...this.taken()].sort((one, other) => indexOf(one) - indexOf(other));
  }
}

const INDEX = /^\{"index":(\d+)/;

/** The index in a result's text, with which it begins. */
export function indexOf(line: string): number {
  return Number(INDEX.exec(line)?.[1] ?? Number.NaN);
}
