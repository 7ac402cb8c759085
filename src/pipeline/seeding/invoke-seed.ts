import {
  type LambdaClient,
  ResourceNotFoundException,
  TooManyRequestsException,
} from '@aws-sdk/client-lambda';
import { FanfoldError } from '../../errors.ts';
import { retry } from '../../retry.ts';
import { VERSION } from '../../version.ts';
import { isTransient, PATIENCE_MS } from '../call-errors.ts';
import type { SeedRequest } from '../messages/seed-request.ts';
import type { SeedDescription, SeedResponse } from '../messages/seed-response.ts';
import type { Names } from '../names.ts';
import { callFunction, FunctionFault } from '../run/call-function.ts';
import { noDeployment } from '../run/deployment.ts';

/** Tries for a page on which the seed function fails. Seeding it twice only makes duplicates. */
const PAGE_TRIES = 4;

/** Invokes the seed function and returns its answer. A refusal is thrown as the original error. */
export function invokeSeed(
  lambda: LambdaClient,
  names: Names,
  request: SeedRequest,
): Promise<SeedResponse> {
  return callSeed<SeedResponse>(lambda, names, request).catch((error: unknown) => {
    throw unknownThere(error, names) ?? error;
  });
}

const STORES_NONE = ['output', 'does not store results in S3'] as const;

/** Options of `map` that earlier versions do not have, by the request's field. */
const LACKS: Readonly<Record<string, readonly [option: string, lack: string]>> = {
  concurrency: ['concurrency', 'cannot limit the concurrency of a run'],
  rate: ['rate', 'cannot limit the rate of a run'],
  pauseWhenFailing: ['pauseWhenFailing', 'cannot pause a run that fails'],
  maxCost: ['maxCost', 'cannot stop a run at a cost'],
  maxFailures: STORES_NONE,
  results: STORES_NONE,
};

/** The error for a deployed version that lacks something; undefined for other refusals. */
function unknownThere(refusal: unknown, { name }: Names): FanfoldError | undefined {
  if (!(refusal instanceof FanfoldError)) return undefined;
  const { message } = refusal;
  const [, field = ''] =
    /has no field "(\w+)"/.exec(message) ??
    /`(results)` must be "shared" or "own"; got/.exec(message) ??
    [];
  const [option, lack] = Object.hasOwn(LACKS, field) ? (LACKS[field] ?? []) : [];
  if (option === undefined) return undefined;
  return new FanfoldError(
    'BadOption',
    `The deployment "${name}" has a version of Fanfold that ${lack}: when no run is left, deploy ${VERSION} to it, or restart its server with that version; or leave \`${option}\` out.`,
  );
}

/**
 * Asks the seed function for its version, tasks and settings.
 *
 * @throws FanfoldError `BadInput` when the deployed version does not know this request
 */
export function describeSeed(lambda: LambdaClient, names: Names): Promise<SeedDescription> {
  return callSeed<SeedDescription>(lambda, names, { describe: true });
}

async function callSeed<Answer extends object>(
  lambda: LambdaClient,
  names: Names,
  request: object,
): Promise<Answer> {
  return callFunction<Answer>(lambda, names.seed, request).catch((cause: unknown) => {
    throw cause instanceof ResourceNotFoundException
      ? noDeployment(names, `function ${names.seed}`, cause)
      : cause;
  });
}

/**
 * Invokes the seed function, with retries. A throttled call has not run the function and is
 * repeated until other callers release the concurrency; other errors are retried within limits.
 *
 * @param isStopped whether the run has ended, so that the answer is not needed any more
 */
export function invokeSeedWithRetries(
  lambda: LambdaClient,
  names: Names,
  request: SeedRequest,
  isStopped: () => boolean,
): Promise<SeedResponse> {
  let faults = 0;
  return retry(() => invokeSeed(lambda, names, request), {
    baseMs: 1_000,
    while: (error, _, failingMs) =>
      !isStopped() &&
      (error instanceof TooManyRequestsException ||
        (error instanceof FunctionFault && ++faults < PAGE_TRIES) ||
        (isTransient(error) && failingMs < PATIENCE_MS)),
  });
}
