import { AdaptivePace } from './adaptive-pace.ts';
import { Brake } from './brake.ts';

interface OfRun {
  adaptive: AdaptivePace;
  brake: Brake;
}

/** The paces of a worker's runs, which outlive their chunks. */
export class RunPaces {
  readonly #byRun = new Map<string, OfRun>();

  of(runId: string): OfRun {
    const paces = this.#byRun.get(runId) ?? { adaptive: new AdaptivePace(), brake: new Brake() };
    // A long-lived worker handles many runs, so old entries are dropped.
    if (this.#byRun.size >= 1_000) this.#byRun.clear();
    this.#byRun.set(runId, paces);
    return paces;
  }
}
