/** A page holds 65,536 bits in 8 KiB. */
const PAGE_BITS = 16;
const PAGE_BYTES = 1 << (PAGE_BITS - 3);
const IN_PAGE = (1 << PAGE_BITS) - 1;

/**
 * A set of whole numbers from 0 up to a size, which is at most 2^31; one bit each. A page is
 * allocated when the first number in it is added, so one large number costs one page.
 */
export class Bitmap {
  // Filled, so that V8 keeps a plain array: a distant page would make a sparse one a hash table.
  readonly #pages: (Uint8Array | undefined)[];

  constructor(size: number) {
    this.#pages = new Array<Uint8Array | undefined>(Math.ceil(size / (IN_PAGE + 1))).fill(
      undefined,
    );
  }

  /** @param bit a whole number from 0, below the size, as everywhere in this class */
  has(bit: number): boolean {
    const byte = this.#pages[bit >> PAGE_BITS]?.[(bit & IN_PAGE) >> 3] ?? 0;
    return (byte & (1 << (bit & 7))) !== 0;
  }

  add(bit: number): void {
    const key = bit >> PAGE_BITS;
    const page = this.#pages[key] ?? new Uint8Array(PAGE_BYTES);
    this.#pages[key] = page;
    const at = (bit & IN_PAGE) >> 3;
    page[at] = (page[at] ?? 0) | (1 << (bit & 7));
  }

  delete(bit: number): void {
    const page = this.#pages[bit >> PAGE_BITS];
    const at = (bit & IN_PAGE) >> 3;
    if (page) page[at] = (page[at] ?? 0) & ~(1 << (bit & 7));
  }

  /** The numbers from `first` on, in order. The duration depends on the pages in use. */
  *from(first: number): Generator<number, void> {
    for (let key = first >> PAGE_BITS; key < this.#pages.length; key++) {
      const page = this.#pages[key];
      if (page === undefined) continue;
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
    for (const [key, page] of this.#pages.entries()) {
      if (page === undefined) continue;
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
      this.#pages[bytes.readUInt32BE(at)] = new Uint8Array(
        bytes.subarray(at + 4, at + 4 + PAGE_BYTES),
      );
    }
  }

  /** Bytes of the pages in use. */
  get bytes(): number {
    return this.#pages.reduce((sum, page) => sum + (page?.length ?? 0), 0);
  }
}
