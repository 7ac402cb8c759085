/** A page holds 65,536 bits in 8 KiB. */
const PAGE_BITS = 16;
const PAGE_BYTES = 1 << (PAGE_BITS - 3);
const IN_PAGE = (1 << PAGE_BITS) - 1;

/**
 * A set of whole numbers from 0, below 2^31; one bit each. A page is allocated when the first
 * number in it is added, so one large number costs one page, and an empty set next to nothing.
 */
export class Bitmap {
  readonly #pages = new Map<number, Uint8Array>();

  /** @param bit a whole number from 0, below 2^31, as everywhere in this class */
  has(bit: number): boolean {
    const byte = this.#pages.get(bit >> PAGE_BITS)?.[(bit & IN_PAGE) >> 3] ?? 0;
    return (byte & (1 << (bit & 7))) !== 0;
  }

  add(bit: number): void {
    const key = bit >> PAGE_BITS;
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = new Uint8Array(PAGE_BYTES);
      this.#pages.set(key, page);
    }
    const at = (bit & IN_PAGE) >> 3;
    page[at] = (page[at] ?? 0) | (1 << (bit & 7));
  }

  delete(bit: number): void {
    const page = this.#pages.get(bit >> PAGE_BITS);
    const at = (bit & IN_PAGE) >> 3;
    if (page) page[at] = (page[at] ?? 0) & ~(1 << (bit & 7));
  }

  /** The numbers from `first` on, in order. The duration depends on the pages in use. */
  *from(first: number): Generator<number, void> {
    for (const [key, page] of this.#inOrder()) {
      if (key < first >> PAGE_BITS) continue;
      const base = key << PAGE_BITS;
      for (let at = 0; at < PAGE_BYTES; at++) {
        const byte = page[at] ?? 0;
        for (let bit = 0; byte >> bit > 0; bit++) {
          const number = base + at * 8 + bit;
          if (byte & (1 << bit) && number >= first) yield number;
        }
      }
    }
  }

  /** The pages in use, each after its number. `restore` reads them. */
  save(): Buffer {
    const parts: Uint8Array[] = [];
    for (const [key, page] of this.#inOrder()) {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(key);
      parts.push(number, page);
    }
    return Buffer.concat(parts);
  }

  /** Adds the numbers that `save` wrote. */
  restore(saved: Uint8Array): void {
    const bytes = Buffer.from(saved.buffer, saved.byteOffset, saved.byteLength);
    for (let at = 0; at + 4 + PAGE_BYTES <= bytes.length; at += 4 + PAGE_BYTES) {
      const page = new Uint8Array(bytes.subarray(at + 4, at + 4 + PAGE_BYTES));
      this.#pages.set(bytes.readUInt32BE(at), page);
    }
  }

  /** Bytes of the pages in use. */
  get bytes(): number {
    return this.#pages.size * PAGE_BYTES;
  }

  #inOrder(): [number: number, page: Uint8Array][] {
    return [...this.#pages].sort(([one], [other]) => one - other);
  }
}
