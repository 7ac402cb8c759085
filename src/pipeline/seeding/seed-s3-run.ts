import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { serviceNow } from '../../clock.ts';
import type { SeedRequest } from '../messages/seed-request.ts';
import type { SeedResponse } from '../messages/seed-response.ts';
import type { Names } from '../names.ts';
import { invokeSeedWithRetries } from './invoke-seed.ts';
import type { S3Inputs } from './s3-inputs.ts';

/** What each page of a run repeats: its bounds, and where its results go, if they are stored. */
export type RunBounds = Pick<
  SeedRequest,
  | 'concurrency'
  | 'rate'
  | 'hedge'
  | 'pauseWhenFailing'
  | 'priority'
  | 'results'
  | 'maxFailures'
  | 'maxCost'
  | 'pauseAtCost'
>;

export interface S3Run {
  sqs: SQSClient;
  lambda: LambdaClient;
  names: Names;
  runId: string;
  task: string;
  expiresAt: number;
  bounds: RunBounds;
}

/** Starts seeding in the seed function, which continues by itself. */
export function seedS3Run(
  { url, format }: S3Inputs,
  { sqs, lambda, names, runId, task, expiresAt, bounds }: S3Run,
): Promise<SeedResponse> {
  const request: SeedRequest = {
    task,
    inputs: { s3: url, format },
    runId,
    expiresAt,
    results: 'own',
    ...bounds,
  };
  const isOver = () => serviceNow(sqs) > expiresAt;
  return invokeSeedWithRetries(lambda, names, request, isOver);
}
