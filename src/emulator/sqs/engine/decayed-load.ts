import { PROCESSING_MEMORY_SECONDS } from '../limits.ts';

const MEMORY_MS = PROCESSING_MEMORY_SECONDS * 1000;

/**
 * What a group, or a whole queue, takes of its consumers: the messages that are in flight, and the
 * time that messages have spent there, of which less and less counts as it passes.
 */
export class DecayedLoad {
  inFlight = 0;
  #ms = 0;
  /** The moment that `#ms` is of. */
  #at = 0;

  add(now: number): void {
    this.#advance(now);
    this.inFlight++;
  }

  remove(now: number): void {
    this.#advance(now);
    this.inFlight--;
  }

  /** The processing time by now, in milliseconds. */
  msAt(now: number): number {
    this.#advance(now);
    return this.#ms;
  }

  #advance(now: number): void {
    const passed = now - this.#at;
    if (passed <= 0) return;
    this.#at = now;
    // Of a group that nothing is in flight of, and that has taken nothing, nothing fades.
    if (this.inFlight === 0 && this.#ms === 0) return;
    const kept = Math.exp(-passed / MEMORY_MS);
    this.#ms = this.#ms * kept + this.inFlight * MEMORY_MS * (1 - kept);
  }
}
