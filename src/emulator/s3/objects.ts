import type { Content, Facts, Storage } from './storage.ts';

/** Objects of one shelf, and their keys in S3's order. */
class Shelf {
  readonly facts = new Map<string, Facts>();
  readonly keys: string[] = [];
}

/**
 * The objects of an S3, by shelf and key. A bucket is a shelf, and so are the parts of the uploads
 * to a bucket, and the list of all buckets.
 */
export class Objects {
  readonly #shelves = new Map<string, Shelf>();
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
    for (const { shelf, key, facts } of storage.all()) this.#add(shelf, key, facts);
  }

  get(shelf: string, key: string): Facts | undefined {
    return this.#shelves.get(shelf)?.facts.get(key);
  }

  read(shelf: string, key: string, start: number, end: number): Uint8Array {
    return this.#storage.read(shelf, key, start, end);
  }

  put(shelf: string, key: string, facts: Facts, content: Content): void {
    this.#storage.write(shelf, key, facts, content);
    this.#add(shelf, key, facts);
  }

  delete(shelf: string, key: string): void {
    const found = this.#shelves.get(shelf);
    if (!found?.facts.has(key)) return;
    this.#storage.remove(shelf, key);
    found.facts.delete(key);
    found.keys.splice(placeOf(found.keys, key), 1);
  }

  /** The first key that is not before `from`, in the order of the keys' bytes. */
  firstFrom(shelf: string, from: string): string | undefined {
    const keys = this.#shelves.get(shelf)?.keys ?? [];
    return keys[placeOf(keys, from)];
  }

  /** The keys that begin with a prefix. */
  keysOf(shelf: string, prefix: string): string[] {
    const keys = this.#shelves.get(shelf)?.keys ?? [];
    const first = placeOf(keys, prefix);
    let end = first;
    while (keys[end]?.startsWith(prefix)) end++;
    return keys.slice(first, end);
  }

  #add(shelf: string, key: string, facts: Facts): void {
    const found = this.#shelves.get(shelf) ?? new Shelf();
    this.#shelves.set(shelf, found);
    if (!found.facts.has(key)) found.keys.splice(placeOf(found.keys, key), 0, key);
    found.facts.set(key, facts);
  }
}

/** Compares keys as S3 does, by their bytes in UTF-8. */
export function compareKeys(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** Where a key is, or would be, in a list in order. */
function placeOf(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(keys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
