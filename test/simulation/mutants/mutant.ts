import type { Part, Rewrite } from '../rewrite.ts';

/** A broken variant of the pipeline: one node of one file, replaced. */
export interface Mutant extends Rewrite {
  name: string;
  file: string;
  /** The test file that catches it, where it lies beyond the simulation's worlds. @default the simulation */
  caughtBy?: string;
  /** The kind of scenarios that catch it. @default 'plain' */
  kind?: 'plain' | 'bounds' | 'stored';
}

/** Starts an awaited call without waiting for it. */
export const unawaited = ({ text }: Part) => `void (${text.slice('await'.length)}).catch(() => {})`;
