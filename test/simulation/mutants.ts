import { COLLECTING } from './mutants/collecting.ts';
import { FLOW } from './mutants/flow.ts';
import type { Mutant } from './mutants/mutant.ts';
import { SEEDING } from './mutants/seeding.ts';
import { STORING } from './mutants/storing.ts';
import { WORKING } from './mutants/working.ts';

export const MUTANTS: readonly Mutant[] = [
  ...WORKING,
  ...COLLECTING,
  ...SEEDING,
  ...FLOW,
  ...STORING,
];
