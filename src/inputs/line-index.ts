/**
 * The line of each input. Only the inputs that are not on the line after the previous one's are
 * stored, in about two bytes each, so that blank lines in a large file cost next to nothing.
 */
export class Places {
  readonly #name: string;
  readonly #firstLine: number;
  /** Distance of each change from the one before: in inputs, then in lines. As varints. */
  #changes = new Uint8Array(64);
  #length = 0;
  /** The last change: its input, and the lead of lines over inputs from there on. */
  #index = 0;
  #ahead: number;

  /** @param firstLine line of the first input, unless `note` says otherwise */
  constructor(name: string, firstLine: number) {
    this.#name = name;
    this.#firstLine = firstLine;
    this.#ahead = firstLine;
  }

  /** Must be called for each input, in order. */
  note(index: number, line: number): void {
    const ahead = line - index;
    if (ahead === this.#ahead) return;
    this.#append(index - this.#index);
    this.#append(ahead - this.#ahead);
    this.#index = index;
    this.#ahead = ahead;
  }

  locate(index: number): string {
    let ahead = this.#firstLine;
    let at = 0;
    const changes = this.#numbers();
    for (let next = changes.next(); !next.done; next = changes.next()) {
      at += next.value;
      if (at > index) break;
      ahead += changes.next().value ?? 0;
    }
    return `${this.#name}, line ${index + ahead}`;
  }

  #append(number: number): void {
    // A number takes at most eight bytes: it is below 2^53.
    if (this.#length + 8 > this.#changes.length) {
      const longer = new Uint8Array(this.#changes.length * 2);
      longer.set(this.#changes);
      this.#changes = longer;
    }
    let rest = number;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#changes[this.#length++] = (rest % 0x80) + 0x80;
    }
    this.#changes[this.#length++] = rest;
  }

  *#numbers(): Generator<number, undefined> {
    let number = 0;
    let scale = 1;
    for (const byte of this.#changes.subarray(0, this.#length)) {
      number += (byte % 0x80) * scale;
      scale *= 0x80;
      if (byte >= 0x80) continue;
      yield number;
      number = 0;
      scale = 1;
    }
    return undefined;
  }
}
