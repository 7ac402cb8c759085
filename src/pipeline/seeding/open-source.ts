import { usedOf } from '../messages/used.ts';
import type { InputSource } from './input-source.ts';
import type { Inputs } from './pages.ts';
import { RemoteSeeder, type RemoteSeederOptions } from './remote-seeder.ts';
import { S3Inputs } from './s3-inputs.ts';
import { seedS3Run } from './seed-s3-run.ts';
import { Seeder, type SeederOptions } from './seeder.ts';

export type { InputSource } from './input-source.ts';

/** Opens a run's inputs: from here, from S3 or, if undefined, seeded by another process. */
export function openSource(
  inputs: Inputs<unknown> | S3Inputs | undefined,
  options: Omit<SeederOptions, 'inputs'> & Pick<RemoteSeederOptions, 'isPatient'>,
): InputSource {
  if (inputs === undefined) return new RemoteSeeder(options);
  if (!(inputs instanceof S3Inputs)) return new Seeder({ ...options, inputs });
  // Results may arrive before the number of inputs is known.
  options.ledger.open();
  const begin = async () => {
    const { resultQueueUrl, used } = await seedS3Run(inputs, options);
    if (used) options.onUsed?.(usedOf(used));
    return resultQueueUrl;
  };
  return new RemoteSeeder({ ...options, begin });
}
