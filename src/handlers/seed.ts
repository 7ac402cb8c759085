import { FanfoldError, InputError } from '../errors.ts';
import { newRunId } from '../pipeline/names.ts';
import { type SeedRefusal, type SeedResponse, seed } from '../pipeline/seeding/seed.ts';
import { readSeedRequest } from '../pipeline/seeding/seed-request.ts';
import { type HandlerOptions, type LambdaContext, lazyPlace, registryOf } from './place.ts';

/**
 * The seed function's handler: checks a `SeedRequest`, cuts its inputs into chunks and queues them.
 * A request that it refuses is answered with `{ error: { code, message } }`, not thrown: Lambda
 * would try it again.
 *
 * ```ts
 * import * as tasks from './tasks/index.ts';
 * export const handler = seedHandler(tasks);
 * ```
 */
export function seedHandler(
  tasks: object,
  options: HandlerOptions = {},
): (event: unknown, context: LambdaContext) => Promise<SeedResponse | SeedRefusal> {
  const registry = registryOf(tasks);
  const found = lazyPlace(options);
  return async (event, context) => {
    try {
      const { sqs, names, taskQueueUrl } = await found();
      const runId = newRunId(Date.now(), context.awsRequestId.replace(/-/g, '').slice(0, 16));
      const seeding = { sqs, names, tasks: registry, taskQueueUrl, runId };
      return await seed(readSeedRequest(event), seeding);
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error;
      const { code, message } = error;
      const place = error instanceof InputError ? { index: error.index, reason: error.reason } : {};
      return { error: { code, message, ...place } };
    }
  };
}
