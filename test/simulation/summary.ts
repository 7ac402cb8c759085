import type { Outcome } from './simulate.ts';

/** Totals of many simulations. */
export class Summary {
  readonly #began = performance.now();
  readonly #marks = new Map<string, number>();
  #runs = 0;
  #calls = 0;
  #virtualMs = 0;

  enter({ calls, virtualMs, log }: Outcome): void {
    this.#runs++;
    this.#calls += calls;
    this.#virtualMs += virtualMs;
    for (const [name, count] of log.marks) {
      this.#marks.set(name, (this.#marks.get(name) ?? 0) + count);
    }
  }

  text(seed: number): string {
    const seconds = (performance.now() - this.#began) / 1000;
    const rate = Math.round(this.#calls / seconds);
    const hours = Math.round(this.#virtualMs / 3_600_000);
    const marks = [...this.#marks].sort(([one], [other]) => (one < other ? -1 : 1));
    return [
      `seed ${seed}: ${this.#runs} runs, ${this.#calls} SDK calls in ${seconds.toFixed(1)} s (${rate} a second), ${hours} h of virtual time`,
      ...marks.map(([name, count]) => `  ${name.padEnd(42)} ${count}`),
    ].join('\n');
  }
}
