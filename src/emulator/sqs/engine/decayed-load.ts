import { PROCESSING_MEMORY_SECONDS } from '../limits.ts';

const MEMORY_MS = PROCESSING_MEMORY_SECONDS * 1000;

/** In-flight count and exponentially decayed processing time of a group or of a whole queue. */
export class DecayedLoad {
  inFlight = 0;
  #ms = 0;
  /** The moment at which `#ms` was computed. */
  #at = 0;

  add(now: number): void {
    this.#advance(now);
    this.inFlight++;
  }

  remove(now: number): void {
    this.#advance(now);
    this.inFlight--;
  }

  /** The processing time so far, in milliseconds. */
  msAt(now: number): number {
    this.#advance(now);
    return this.#ms;
  }

  #advance(now: number): void {
    const passed = now - this.#at;
    if (passed <= 0) return;
    this.#at = now;
    // A group with nothing in flight and no processing time has nothing to decay.
    if (this.inFlight === 0 && this.#ms === 0) return;
    const kept = Math.exp(-passed / MEMORY_MS);
    this.#ms = this.#ms * kept + this.inFlight * MEMORY_MS * (1 - kept);
  }
}
