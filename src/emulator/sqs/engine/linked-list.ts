/** The fields that an element of a list must have; only the list writes them. */
export interface Linked<T> {
  previous: T | undefined;
  next: T | undefined;
}

/**
 * A list whose elements carry their own links, so that one in the middle can leave in constant
 * time: messages expire and are deleted in any order. An element can be in one list at a time.
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #length = 0;

  get first(): T | undefined {
    return this.#first;
  }

  get last(): T | undefined {
    return this.#last;
  }

  get length(): number {
    return this.#length;
  }

  append(element: T): void {
    this.insertAfter(element, this.#last);
  }

  prepend(element: T): void {
    this.insertAfter(element, undefined);
  }

  /** @param before an element of the list; undefined inserts at the front */
  insertAfter(element: T, before: T | undefined): void {
    const after = before ? before.next : this.#first;
    element.previous = before;
    element.next = after;
    if (before) before.next = element;
    else this.#first = element;
    if (after) after.previous = element;
    else this.#last = element;
    this.#length++;
  }

  remove(element: T): void {
    if (element.previous) element.previous.next = element.next;
    else this.#first = element.next;
    if (element.next) element.next.previous = element.previous;
    else this.#last = element.previous;
    element.previous = undefined;
    element.next = undefined;
    this.#length--;
  }

  clear(): void {
    this.#first = undefined;
    this.#last = undefined;
    this.#length = 0;
  }
}
