import type { Deployment } from '../run/deployment.ts';

/** Inputs that may be outstanding before the first results show how large they are. */
const BLIND_INPUTS = 10_000;
/** Largest number of inputs whose results an ordered run holds. */
const ORDERED_INPUTS = 50_000;

export interface WindowOptions {
  /** Bytes of inputs and results that may be outstanding. */
  bytes: number;
  /** Whether results are yielded in input order, so that a slow input holds up all later ones. */
  ordered: boolean;
}

/**
 * Backpressure: limits how far seeding may run ahead of the consumer, by the average size of inputs
 * and results. Memory stays bounded, however long the run is and however slow its consumer.
 */
export class Window {
  readonly #options: WindowOptions | undefined;
  #inputs = 0;
  #inputLength = 0;
  #taken = 0;
  #takenLength = 0;
  #opened = false;
  #waiting: (() => void) | undefined;

  /** @param options undefined for a window that is always open */
  constructor(options: WindowOptions | undefined) {
    this.#options = options;
    this.#opened = options === undefined;
  }

  /** Counts seeded inputs. @param length of their texts, in UTF-16 units */
  seeded(count: number, length: number): void {
    this.#inputs += count;
    this.#inputLength += length;
  }

  /** Counts results that the consumer has taken. */
  taken(count: number, length: number): void {
    this.#taken += count;
    this.#takenLength += length;
    if (!this.#isFull) this.#wake();
  }

  /** Opens the window for good. */
  open(): void {
    this.#opened = true;
    this.#wake();
  }

  /** Resolves when there is room for another page. */
  async room(): Promise<void> {
    while (this.#isFull) {
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  get #isFull(): boolean {
    if (this.#opened || this.#options === undefined) return false;
    const out = this.#inputs - this.#taken;
    if (this.#taken === 0) {
      return out >= BLIND_INPUTS || this.#inputLength >= this.#options.bytes;
    }
    const each = this.#inputLength / this.#inputs + this.#takenLength / this.#taken;
    return out * each >= this.#options.bytes || (this.#options.ordered && out >= ORDERED_INPUTS);
  }

  #wake(): void {
    this.#waiting?.();
    this.#waiting = undefined;
  }
}

/** Bytes that an ordered run's results may take while they wait for an earlier one. */
const ORDERED_BYTES = 64 * 1024 * 1024;

/** A run's window. It is always open if results wait in a queue elsewhere and need no order. */
export function windowFor({ windowBytes }: Deployment, ordered: boolean): Window {
  const bytes = windowBytes ?? (ordered ? ORDERED_BYTES : undefined);
  return new Window(bytes === undefined ? undefined : { bytes, ordered });
}
