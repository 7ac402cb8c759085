/** What is known of an object besides its bytes. */
export interface Facts {
  /** Without quotes. */
  readonly etag: string;
  /** In bytes. */
  readonly size: number;
  /** Milliseconds since 1970, in whole seconds as in all of S3's answers. */
  readonly modifiedAt: number;
  /** Headers of answers that return it: its type, metadata and checksum. */
  readonly headers: Readonly<Record<string, string>>;
}

export type Content = readonly Uint8Array[];

/** Keeps the bytes of objects. An object is known by its shelf, such as its bucket, and its key. */
export interface Storage {
  /** All objects that it keeps, at the start. */
  all(): Iterable<{ shelf: string; key: string; facts: Facts }>;
  /** Keeps an object, instead of an earlier one: a reader sees either of them whole. */
  write(shelf: string, key: string, facts: Facts, content: Content): void;
  /** A copy of the bytes from `start` up to, and without, `end`. */
  read(shelf: string, key: string, start: number, end: number): Uint8Array;
  remove(shelf: string, key: string): void;
  close(): void;
}

/** Keeps objects in memory. */
export class MemoryStorage implements Storage {
  readonly #contents = new Map<string, Uint8Array>();

  all(): [] {
    return [];
  }

  write(shelf: string, key: string, _facts: Facts, content: Content): void {
    // A copy, since the caller may use its buffers again.
    this.#contents.set(nameOf(shelf, key), Buffer.concat(content));
  }

  read(shelf: string, key: string, start: number, end: number): Uint8Array {
    const found = this.#contents.get(nameOf(shelf, key));
    if (found === undefined) throw new Error(`Nothing is kept for "${key}" of ${shelf}.`);
    return new Uint8Array(found.subarray(start, end));
  }

  remove(shelf: string, key: string): void {
    this.#contents.delete(nameOf(shelf, key));
  }

  close(): void {
    this.#contents.clear();
  }
}

/** One name for both: no shelf has a NUL in its name. */
export function nameOf(shelf: string, key: string): string {
  return `${shelf}\0${key}`;
}
