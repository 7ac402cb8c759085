import { crc32 } from 'node:zlib';

/** Bytes of a checksum. */
const EACH = 4;

/** CRC-32 checksums of inputs, in order. They are kept as bytes, since there may be millions. */
export class InputSums {
  #bytes = Buffer.alloc(0);
  #length = 0;

  static fromText(text: string): InputSums {
    const sums = new InputSums();
    sums.#bytes = Buffer.from(text, 'base64');
    sums.#length = Math.floor(sums.#bytes.length / EACH);
    return sums;
  }

  get text(): string {
    return this.#bytes.toString('base64', 0, this.#length * EACH);
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): number | undefined {
    return index < this.#length ? this.#bytes.readUInt32LE(index * EACH) : undefined;
  }

  /** Adds the checksums of texts, from the one at `from` on. */
  add(texts: readonly string[], from: number): void {
    const length = this.#length + Math.max(0, texts.length - from);
    if (length * EACH > this.#bytes.length) {
      this.#bytes = Buffer.concat([this.#bytes], 2 * length * EACH);
    }
    for (let at = from; at < texts.length; at++) {
      this.#bytes.writeUInt32LE(crc32(texts[at] as string), this.#length++ * EACH);
    }
  }

  clear(): void {
    this.#length = 0;
  }
}
