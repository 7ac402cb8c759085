import type { Result } from '../pipeline/result.ts';

/** Where a consumer puts results: what is here outlives it. */
export class Disk {
  readonly results: Result<unknown>[] = [];
  readonly #indexes = new Set<number>();

  has(index: number): boolean {
    return this.#indexes.has(index);
  }

  write(text: string): void {
    const result = JSON.parse(text) as Result<unknown>;
    this.results.push(result);
    this.#indexes.add(result.index);
  }
}
