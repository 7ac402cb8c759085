import { S3Client } from '@aws-sdk/client-s3';
import type { ObjectRequest } from '../pipeline/messages/seed-request.ts';
import type { SeedResponse } from '../pipeline/messages/seed-response.ts';
import type { Meter } from '../pipeline/run/meter.ts';
import type { SeedOptions } from '../pipeline/seed/seed.ts';
import { seedObject } from '../pipeline/seed/seed-from-s3.ts';
import { callLimits, type Environment, type LambdaContext } from './environment.ts';

/** Seeds a run whose inputs are in S3. */
export type SeedFromS3 = (
  request: ObjectRequest,
  options: SeedOptions,
  place: Environment,
  context: LambdaContext,
  onPage: (page: SeedResponse, chunksBefore: number) => Promise<void>,
) => Promise<SeedResponse>;

/**
 * Lets the seed handler read inputs from S3. It is separate, since S3's client is large, and other
 * seeds don't need it.
 *
 * @param given default: a client from the environment, made when it is needed
 */
export function s3Inputs(given?: S3Client): SeedFromS3 {
  let client = given;
  let counted: Meter | undefined;
  return (request, options, { lambda, meter }, context, onPage) => {
    // A stream that yields nothing for its `socketTimeout` fails, and is reopened.
    client ??= new S3Client(callLimits());
    if (counted !== meter) meter?.countS3(client);
    counted = meter;
    return seedObject(request, {
      ...options,
      s3: client,
      lambda,
      remainingMs: () => context.getRemainingTimeInMillis(),
      onPage,
    });
  };
}
