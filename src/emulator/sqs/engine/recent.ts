/** Values by key, each remembered for a fixed time after it was set. */
export class Recent<T> {
  readonly #ms: number;
  /** In the order of expiry. */
  readonly #entries = new Map<string, { value: T; endsAt: number }>();

  constructor(seconds: number) {
    this.#ms = seconds * 1000;
  }

  get(key: string, now: number): T | undefined {
    this.#forget(now);
    return this.#entries.get(key)?.value;
  }

  /** @returns when the value expires */
  set(key: string, value: T, now: number): number {
    this.#forget(now);
    const endsAt = now + this.#ms;
    if (this.#ms > 0) this.restore(key, value, endsAt);
    return endsAt;
  }

  restore(key: string, value: T, endsAt: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, endsAt });
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
