/** What an element of a list has to carry; only the list writes it. */
export interface Linked<T> {
  previous: T | undefined;
  next: T | undefined;
}

/**
 * A list whose elements carry their own links, so that one in the middle leaves in constant time:
 * messages expire and are deleted in any order. An element is in one list at a time.
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #length = 0;

  get first(): T | undefined {
    return this.#first;
  }

  get length(): number {
    return this.#length;
  }

  append(element: T): void {
    element.previous = this.#last;
    element.next = undefined;
    if (this.#last) this.#last.next = element;
    else this.#first = element;
    this.#last = element;
    this.#length++;
  }

  prepend(element: T): void {
    element.previous = undefined;
    element.next = this.#first;
    if (this.#first) this.#first.previous = element;
    else this.#last = element;
    this.#first = element;
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
