import type { Position } from './source.ts';

/** Inputs that are ready to be read. */
export interface OpenedInputs {
  /** How many there are, where that is known before they are read. */
  readonly total: number | undefined;
  /** The inputs as JSON texts, in order, in batches. They stream: memory does not grow with the file. */
  batches(): AsyncIterable<string[]>;
  /** Where to go on after the batches that were given; undefined where that can't be. */
  position?(): Position;
  /** Where an input came from, such as `inputs.jsonl, line 17`; undefined where the index says it all. */
  locate(index: number): string | undefined;
  /** Lets go of what they come from, which may be at rest with nothing to give. */
  close(): void;
}
