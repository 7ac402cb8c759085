import { withCauses } from '../../thrown.ts';
import { type FailedResult, type FailureCode, isFailureCode } from './result.ts';
import type { ResultBatch } from './result-message.ts';

/** Failures with the same code, name and message, apart from the numbers in the message. */
interface Kind {
  count: number;
  /** An input that failed so. */
  index: number;
  code: FailureCode;
  /** Some inputs that failed so, in order of arrival. */
  indexes: number[];
  /** The text of its failures, with numbers masked. */
  masked: string;
  /** The exact text, if all of its failures have the same. */
  exact: string | undefined;
  /** True if the kind may have been forgotten before, so that `count` can be too small. */
  isLeast: boolean;
}

/** Most kinds to remember: a million different messages must not fill the memory. */
const MOST_KINDS = 200;
/** Lines of kinds to show: the last one may tell of those that are not shown. */
const SHOWN_LINES = 4;
/** Kinds to show, and to name examples of. */
const SHOWN_KINDS = 3;
/** Inputs of a kind to remember. */
const EXAMPLES = 5;
/** Characters of a message that tell kinds apart. */
const TEXT_LENGTH = 1_000;

/** UUIDs, hexadecimal ids with a digit, and numbers such as 1,000.5 and 127.0.0.1:80. */
const NUMBERS =
  /\b[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}\b|\b(?=[a-f]*\d)[\da-f]{8,}\b|\d+(?:[.,:]\d+)*/gi;

/** Failures of one kind. */
export interface FailureGroup {
  code: FailureCode;
  /** Their message; numbers in which they differ are `N`. */
  message: string;
  count: number;
  /** True if there may be more of them than `count`: there were too many kinds to count all. */
  isLeast?: true;
  /** Up to five inputs that failed so. */
  indexes: number[];
}

/** Failures whose counts another process continues. */
export interface SavedKinds {
  kinds: Kind[];
  codes: [code: FailureCode, count: number][];
  unreadable: number;
  hasForgotten: boolean;
}

/** Counts failures by kind, in constant memory: when there are too many kinds, the rare ones go. */
export class FailureKinds {
  readonly #kinds = new Map<string, Kind>();
  readonly #codes = new Map<FailureCode, number>();
  #unreadable = 0;
  #hasForgotten = false;
  #last = { exact: '', masked: '' };

  /** @param saved the failures before. @default none */
  constructor(saved?: SavedKinds) {
    if (saved === undefined) return;
    for (const kind of saved.kinds) this.#kinds.set(kind.masked, { ...kind, exact: kind.exact });
    for (const [code, count] of saved.codes) this.#codes.set(code, count);
    this.#unreadable = saved.unreadable;
    this.#hasForgotten = saved.hasForgotten;
  }

  save(): SavedKinds {
    const kinds = [...this.#kinds.values()];
    const [codes, unreadable] = [[...this.#codes], this.#unreadable];
    return { kinds, codes, unreadable, hasForgotten: this.#hasForgotten };
  }

  /**
   * Returns the inputs that are remembered as examples of their kinds.
   *
   * @param lines number of the batch's lines that count
   */
  addBatch(batch: ResultBatch, lines = batch.count): number[] {
    if (batch.ok) return [];
    return batch.lines
      .slice(0, lines)
      .filter(({ status, text }) => status === 'failed' && this.add(JSON.parse(text)))
      .map(({ index }) => index);
  }

  /** Returns true if its input is remembered as an example of its kind. */
  add({ index, error }: FailedResult): boolean {
    const { code } = error;
    if (error.place !== undefined) this.#unreadable++;
    else if (isFailureCode(code)) this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    const name = error.name === code ? '' : `${error.name}: `;
    const exact = `${code}: ${name}${withCauses(error)}`.slice(0, TEXT_LENGTH);
    // Millions of inputs may fail alike, one after the other: masking takes most of the time.
    if (exact !== this.#last.exact) this.#last = { exact, masked: exact.replace(NUMBERS, 'N') };
    const { masked } = this.#last;
    const kind = this.#kinds.get(masked);
    if (kind === undefined) {
      const isLeast = this.#hasForgotten;
      const indexes = [index];
      this.#kinds.set(masked, { count: 1, index, code, indexes, masked, exact, isLeast });
      if (this.#kinds.size > MOST_KINDS) this.#forgetRare();
      return true;
    }
    kind.count++;
    kind.index = Math.min(kind.index, index);
    if (kind.exact !== exact) kind.exact = undefined;
    return kind.indexes.length < EXAMPLES && kind.indexes.push(index) > 0;
  }

  /** Number of lines that were not inputs, which must be corrected before they can run. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** Fanfold's codes of inputs that were read, and how often, the most frequent first. */
  get codes(): [code: FailureCode, count: number][] {
    return [...this.#codes].sort(([, one], [, other]) => other - one);
  }

  /** The most frequent kinds, one per line. @param most lines, 2 at least */
  linesOf(most = SHOWN_LINES): string[] {
    const kinds = this.#sorted();
    const isAll = kinds.length <= Math.min(most, SHOWN_KINDS);
    const shown = isAll ? kinds.length : Math.min(most - 1, SHOWN_KINDS);
    const lines = kinds.slice(0, shown).map((kind) => {
      const { count, index, masked, exact, isLeast } = kind;
      const text = exact ?? masked;
      if (count === 1 && !isLeast) return `1 failed, input ${index}: ${text}`;
      return `${isLeast ? 'at least ' : ''}${count} failed, such as input ${index}: ${text}`;
    });
    const more = kinds.length - shown;
    if (more > 0) {
      const least = this.#hasForgotten ? 'at least ' : '';
      lines.push(`and ${least}${more} more kind${more === 1 ? '' : 's'} of failure`);
    }
    return lines;
  }

  /** An input of each kind in `lines`, in their order. */
  get examples(): number[] {
    return this.#sorted()
      .slice(0, SHOWN_KINDS)
      .map(({ index }) => index);
  }

  /** All kinds that are remembered, the most frequent first. */
  get groups(): FailureGroup[] {
    return this.#sorted().map(({ code, masked, exact, count, isLeast, indexes }) => {
      const message = (exact ?? masked).slice(code.length + 2);
      return { code, message, count, ...(isLeast ? { isLeast: true as const } : {}), indexes };
    });
  }

  #sorted(): Kind[] {
    return [...this.#kinds.values()].sort(
      (one, other) => other.count - one.count || one.index - other.index,
    );
  }

  #forgetRare(): void {
    for (const { masked } of this.#sorted().slice(MOST_KINDS / 2)) this.#kinds.delete(masked);
    this.#hasForgotten = true;
  }
}
