/** A reading for those who look often: each costs money on AWS. */
export class Polled<T> {
  readonly #read: () => Promise<T>;
  readonly #everyMs: number;
  #reading: Promise<T> | undefined;
  #readAt = 0;
  #known: T | undefined;

  constructor(read: () => Promise<T>, everyMs: number) {
    this.#read = read;
    this.#everyMs = everyMs;
  }

  /** A reading that is at most `everyMs` old. Rejects as the reading does. */
  now(): Promise<T> {
    if (this.#reading && performance.now() - this.#readAt < this.#everyMs) return this.#reading;
    this.#readAt = performance.now();
    this.#reading = this.#read();
    this.#reading.then(
      (value) => {
        this.#known = value;
      },
      () => {
        this.#known = undefined;
      },
    );
    return this.#reading;
  }

  /** The latest reading, without waiting; undefined before the first, or if it has failed. */
  get latest(): T | undefined {
    this.now().catch(() => {});
    return this.#known;
  }

  /** Forgets the reading: something was changed. */
  expire(): void {
    this.#reading = undefined;
  }
}
