import type { Position } from './source.ts';

/** Inputs that are ready to be read. */
export interface OpenedInputs {
  /** Number of inputs, if it is known before they are read. */
  readonly total: number | undefined;
  /** The inputs as JSON texts, in order, in batches. They stream: memory use is constant. */
  batches(): AsyncIterable<string[]>;
  /** Position after the batches yielded so far; undefined if reading can't resume there. */
  position?(): Position;
  /** Origin of an input, such as `inputs.jsonl, line 17`; undefined if the index is enough. */
  locate(index: number): string | undefined;
  /** Something about the inputs that their user may not expect, once they have been read. */
  note?(): string | undefined;
  /** Releases the source, which may be idle. */
  close(): void;
}
