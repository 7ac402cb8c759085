import type { InputSource } from './input-source.ts';
import type { Inputs } from './pages.ts';
import { RemoteSeeder } from './remote-seeder.ts';
import { S3Inputs, seedS3Run } from './s3-inputs.ts';
import { Seeder, type SeederOptions } from './seeder.ts';

export type { InputSource } from './input-source.ts';

/** A run's inputs on their way: from here, from S3, or, where there are none, as somebody else's. */
export function openSource(
  inputs: Inputs<unknown> | S3Inputs | undefined,
  options: Omit<SeederOptions, 'inputs'>,
): InputSource {
  if (inputs === undefined) return new RemoteSeeder(options);
  if (!(inputs instanceof S3Inputs)) return new Seeder({ ...options, inputs });
  // Their results may come before it is known how many there are.
  options.ledger.open();
  return new RemoteSeeder({ ...options, begin: () => seedS3Run(inputs, options) });
}
