/**
 * On which line each input stands. Only where an input is not on the line that follows the last
 * one's is anything kept.
 */
export class Places {
  readonly #name: string;
  /** Where the distance between an input's index and its line changes. */
  readonly #changes: { index: number; distance: number }[];

  /** @param firstLine the first input's line, unless noted otherwise */
  constructor(name: string, firstLine: number) {
    this.#name = name;
    this.#changes = [{ index: 0, distance: firstLine }];
  }

  note(index: number, line: number): void {
    const distance = line - index;
    if (this.#changes.at(-1)?.distance !== distance) this.#changes.push({ index, distance });
  }

  locate(index: number): string {
    const change = this.#changes.findLast((one) => one.index <= index);
    return `${this.#name}, line ${index + (change?.distance ?? 1)}`;
  }
}
