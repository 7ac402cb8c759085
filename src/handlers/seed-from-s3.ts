import type { S3Client } from '@aws-sdk/client-s3';
import type { SeedOptions, SeedResponse } from '../pipeline/seeding/seed.ts';
import type { ObjectRequest } from '../pipeline/seeding/seed-request.ts';
import type { LambdaContext, Place } from './place.ts';

/** What is needed to read inputs from S3, loaded by the first request that has some there. */
export async function seedFromS3(
  request: ObjectRequest,
  options: SeedOptions,
  { lambda }: Place,
  context: LambdaContext,
  onPage: (page: SeedResponse, chunkItems: number) => Promise<void>,
  given?: S3Client,
): Promise<SeedResponse> {
  const { seedObject } = await import('../pipeline/seeding/seed-object.ts');
  return seedObject(request, {
    ...options,
    s3: given ?? (await clientOfEnvironment()),
    lambda: lambda(),
    remainingMs: () => context.getRemainingTimeInMillis(),
    onPage,
  });
}

let made: S3Client | undefined;

async function clientOfEnvironment(): Promise<S3Client> {
  const { s3OfEnvironment } = await import('./s3-client.ts');
  made ??= s3OfEnvironment();
  return made;
}
