import {
  InvokeCommand,
  type LambdaClient,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { FanfoldError, type FanfoldErrorCode, InputError } from '../../errors.ts';
import { noDeployment } from '../deployment.ts';
import { mayPass } from '../faults.ts';
import type { Names } from '../names.ts';
import { wait } from '../send.ts';
import type { SeedRefusal, SeedResponse } from './seed.ts';
import type { SeedRequest } from './seed-request.ts';

/** Tries at a page, each of which the SDK tries a few times. Seeding twice makes duplicates only. */
const PAGE_TRIES = 4;

/** The seed function ended with an error, or did not end in its time. */
class SeedFault extends FanfoldError {
  constructor(name: string, why: string) {
    super('RunFailed', `The seed function ${name} failed: ${why}`);
  }
}

/** Invokes the seed function and reads its answer; a refusal is thrown as what it was there. */
export async function invokeSeed(
  lambda: LambdaClient,
  names: Names,
  request: SeedRequest,
): Promise<SeedResponse> {
  const invoked = lambda.send(
    new InvokeCommand({ FunctionName: names.seed, Payload: JSON.stringify(request) }),
  );
  const { Payload, FunctionError } = await invoked.catch((cause: unknown) => {
    throw cause instanceof ResourceNotFoundException
      ? noDeployment(names, `function ${names.seed}`, cause)
      : cause;
  });
  const text = Payload === undefined ? 'null' : Payload.transformToString();
  const answer = JSON.parse(text) as SeedResponse | SeedRefusal | { errorMessage?: string };
  if (FunctionError !== undefined || answer === null) {
    const why = (answer as { errorMessage?: string } | null)?.errorMessage ?? text;
    throw new SeedFault(names.seed, why);
  }
  if (!('error' in answer)) return answer as SeedResponse;
  const { code, message, index, reason } = answer.error;
  if (index !== undefined && reason !== undefined) throw new InputError(index, reason);
  throw new FanfoldError(code as FanfoldErrorCode, message);
}

/**
 * Invokes the seed function until it answers, within reason.
 *
 * @param isStopped whether its answer is not wanted any more
 */
export async function invokeSeedSurely(
  lambda: LambdaClient,
  names: Names,
  request: SeedRequest,
  isStopped = () => false,
): Promise<SeedResponse> {
  for (let tries = 1; ; tries++) {
    try {
      return await invokeSeed(lambda, names, request);
    } catch (error) {
      const again = mayPass(error) || error instanceof SeedFault;
      if (!again || tries === PAGE_TRIES || isStopped()) throw error;
      await wait(Math.random() * 1_000 * 2 ** tries);
    }
  }
}
