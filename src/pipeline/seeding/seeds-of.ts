import { Attached } from './attached.ts';
import type { Inputs } from './pages.ts';
import { S3Inputs, seedS3Run } from './s3-inputs.ts';
import { Seeding, type SeedingOptions } from './seeding.ts';
import type { Seeds } from './seeds.ts';

export type { Seeds } from './seeds.ts';

/** A run's inputs on their way: from here, from S3, or, where there are none, as somebody else's. */
export function seedsOf(
  inputs: Inputs<unknown> | S3Inputs | undefined,
  options: Omit<SeedingOptions, 'inputs'>,
): Seeds {
  if (inputs === undefined) return new Attached(options);
  if (!(inputs instanceof S3Inputs)) return new Seeding({ ...options, inputs });
  // Their results may come before it is known how many there are.
  options.ledger.open();
  return new Attached({ ...options, begin: () => seedS3Run(inputs, options) });
}
