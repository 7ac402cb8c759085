/** Values by key that are remembered for a while, each from when it was set. */
export class Recent<T> {
  readonly #ms: number;
  /** In the order of their ends. */
  readonly #entries = new Map<string, { value: T; endsAt: number }>();

  constructor(seconds: number) {
    this.#ms = seconds * 1000;
  }

  get(key: string, now: number): T | undefined {
    this.#forget(now);
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: T, now: number): void {
    this.#forget(now);
    this.#entries.delete(key);
    if (this.#ms > 0) this.#entries.set(key, { value, endsAt: now + this.#ms });
  }

  clear(): void {
    this.#entries.clear();
  }

  #forget(now: number): void {
    for (const [key, { endsAt }] of this.#entries) {
      if (endsAt > now) return;
      this.#entries.delete(key);
    }
  }
}
