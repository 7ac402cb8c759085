/** Elements per page: few, so that one long-lived element keeps little memory with it. */
const PAGE = 64;

interface Page<T> {
  readonly elements: (T | undefined)[];
  count: number;
}

/**
 * Elements by their numbers, which are assigned in sequence. Elements that are added and removed
 * together have close numbers, so they share a page, which is in the processor's cache. A Map of a
 * million scatters them, and each access waits for memory.
 */
export class Numbered<T> {
  readonly #pages = new Map<number, Page<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(number: number): T | undefined {
    return this.#pages.get(Math.floor(number / PAGE))?.elements[number % PAGE];
  }

  set(number: number, element: T): void {
    const page = this.#pageOf(number);
    const place = number % PAGE;
    if (page.elements[place] === undefined) {
      page.count++;
      this.#size++;
    }
    page.elements[place] = element;
  }

  delete(number: number): void {
    const key = Math.floor(number / PAGE);
    const page = this.#pages.get(key);
    if (page?.elements[number % PAGE] === undefined) return;
    page.elements[number % PAGE] = undefined;
    page.count--;
    this.#size--;
    if (page.count === 0) this.#pages.delete(key);
  }

  clear(): void {
    this.#pages.clear();
    this.#size = 0;
  }

  *values(): Generator<T, void> {
    for (const { elements } of this.#pages.values()) {
      for (const element of elements) if (element !== undefined) yield element;
    }
  }

  #pageOf(number: number): Page<T> {
    const key = Math.floor(number / PAGE);
    const known = this.#pages.get(key);
    if (known) return known;
    const page = { elements: new Array<T | undefined>(PAGE).fill(undefined), count: 0 };
    this.#pages.set(key, page);
    return page;
  }
}
