import { S3Client } from '@aws-sdk/client-s3';
import type { ObjectRequest } from '../pipeline/messages/seed-request.ts';
import type { SeedResponse } from '../pipeline/messages/seed-response.ts';
import type { SeedOptions } from '../pipeline/seed/seed.ts';
import { seedObject } from '../pipeline/seed/seed-from-s3.ts';
import { type Environment, type LambdaContext, REQUEST_LIMITS } from './environment.ts';

/** Seeds a run whose inputs are in S3. */
export type SeedFromS3 = (
  request: ObjectRequest,
  options: SeedOptions,
  place: Environment,
  context: LambdaContext,
  onPage: (page: SeedResponse, chunkItems: number) => Promise<void>,
) => Promise<SeedResponse>;

/**
 * What the seed handler needs to read inputs from S3. A part of its own, since S3's client is large,
 * and nobody who seeds otherwise needs it.
 *
 * @param given default: a client from the environment, made when it is needed
 */
export function s3Inputs(given?: S3Client): SeedFromS3 {
  let client = given;
  return (request, options, { lambda }, context, onPage) => {
    // A stream that gives nothing for its `socketTimeout` fails, and another one takes its place.
    client ??= new S3Client({ requestHandler: REQUEST_LIMITS });
    return seedObject(request, {
      ...options,
      s3: client,
      lambda,
      remainingMs: () => context.getRemainingTimeInMillis(),
      onPage,
    });
  };
}
