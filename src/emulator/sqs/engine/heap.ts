/** The fields that an element of a heap must have. */
export interface Ranked {
  /** The lowest is first. Change it with `move` while the element is in the heap. */
  rank: number;
  /** Breaks ties of ranks: the lower number comes first. */
  readonly number: number;
  /** Its place in the heap, or -1; only the heap writes it. An element is in one heap at a time. */
  place: number;
}

/** A binary heap whose elements know their places: any can leave or move in logarithmic time. */
export class Heap<T extends Ranked> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  add(element: T): void {
    this.#rise(element, this.#heap.length);
  }

  /** Changes the rank of an element in the heap. */
  move(element: T, rank: number): void {
    const lower = rank < element.rank;
    element.rank = rank;
    if (lower) this.#rise(element, element.place);
    else this.#sink(element, element.place);
  }

  remove(element: T): void {
    const last = this.#heap.pop();
    const place = element.place;
    element.place = -1;
    if (last === undefined || last === element) return;
    // The last element fills the gap; it may belong further up or further down from there.
    this.#rise(last, place);
    if (last.place === place) this.#sink(last, place);
  }

  clear(): void {
    for (const element of this.#heap) element.place = -1;
    this.#heap.length = 0;
  }

  #rise(element: T, from: number): void {
    const heap = this.#heap;
    let place = from;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !before(element, parent)) break;
      heap[place] = parent;
      parent.place = place;
      place = above;
    }
    heap[place] = element;
    element.place = place;
  }

  #sink(element: T, from: number): void {
    const heap = this.#heap;
    let place = from;
    for (;;) {
      let below = 2 * place + 1;
      let child = heap[below];
      if (child === undefined) break;
      const sibling = heap[below + 1];
      if (sibling !== undefined && before(sibling, child)) {
        child = sibling;
        below++;
      }
      if (!before(child, element)) break;
      heap[place] = child;
      child.place = place;
      place = below;
    }
    heap[place] = element;
    element.place = place;
  }
}

function before(one: Ranked, other: Ranked): boolean {
  return one.rank < other.rank || (one.rank === other.rank && one.number < other.number);
}
