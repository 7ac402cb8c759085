/** What an element has to carry. */
export interface Timed {
  /** When something is to happen to it, in milliseconds since the epoch. Change it with `move`. */
  deadline: number;
  /** Settles which of two with one deadline comes first: the lower. */
  readonly number: number;
  /** Its place in the heap; only the heap writes it. */
  place: number;
}

/**
 * Elements by deadline, the earliest first: a binary heap whose elements know their places, so
 * that any of them leaves or moves in logarithmic time.
 */
export class Deadlines<T extends Timed> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  add(element: T): void {
    this.#rise(element, this.#heap.length);
  }

  /** Gives an element of the heap another deadline. */
  move(element: T, deadline: number): void {
    const earlier = deadline < element.deadline;
    element.deadline = deadline;
    if (earlier) this.#rise(element, element.place);
    else this.#sink(element, element.place);
  }

  remove(element: T): void {
    const last = this.#heap.pop();
    if (last === undefined || last === element) return;
    // The last element fills the gap; it may belong further up or further down from there.
    const place = element.place;
    this.#rise(last, place);
    if (last.place === place) this.#sink(last, place);
  }

  clear(): void {
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

function before(one: Timed, other: Timed): boolean {
  return (
    one.deadline < other.deadline || (one.deadline === other.deadline && one.number < other.number)
  );
}
