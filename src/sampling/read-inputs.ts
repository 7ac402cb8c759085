import { type Inputs, textsOf } from '../pipeline/seeding/pages.ts';
import type { Random } from '../planning/random.ts';
import { type Drawn, Reservoir } from '../planning/reservoir.ts';

/** Inputs that were counted, and some of them that were drawn. */
export interface Counted {
  inputs: number;
  /** Bytes of all of them, as JSON texts. */
  bytes: number;
  /** Those that were drawn, in random order. */
  drawn: Drawn[];
}

/**
 * Counts inputs and draws some at random, in memory for those alone.
 *
 * @param signal aborts the reading, with its reason
 */
export async function readInputs(
  inputs: Inputs<unknown>,
  size: number,
  random: Random,
  signal?: AbortSignal,
): Promise<Counted> {
  const reservoir = new Reservoir(size, random);
  for await (const batch of textsOf(inputs)) {
    signal?.throwIfAborted();
    for (const text of batch) reservoir.add(text);
  }
  return { inputs: reservoir.count, bytes: reservoir.bytes, drawn: reservoir.drawn() };
}
