import type { S3Client } from '@aws-sdk/client-s3';
import { FanfoldError, InputError } from '../errors.ts';
import { newRunId } from '../pipeline/names.ts';
import { type QueuedPage, startBurst } from '../pipeline/seeding/burst.ts';
import { type SeedRefusal, type SeedResponse, seed } from '../pipeline/seeding/seed.ts';
import { isObjectRequest, readSeedRequest } from '../pipeline/seeding/seed-request.ts';
import { type HandlerOptions, type LambdaContext, lazyPlace, registryOf } from './place.ts';
import { seedFromS3 } from './seed-from-s3.ts';

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
  options: HandlerOptions & {
    /**
     * How many burst workers a run may start, besides those that the task queue starts.
     * @default the environment's FANFOLD_BURST where the name is the environment's too, else 0
     */
    burst?: number;
    /** Reads inputs from S3. @default a client from the environment, made when it is needed */
    s3?: S3Client;
  } = {},
): (event: unknown, context: LambdaContext) => Promise<SeedResponse | SeedRefusal> {
  const registry = registryOf(tasks);
  const found = lazyPlace(options);
  const burst =
    options.burst ?? (options.name === undefined ? burstOf(process.env.FANFOLD_BURST) : 0);
  return async (event, context) => {
    try {
      const place = await found();
      const { sqs, lambda, names, taskQueueUrl } = place;
      const runId = newRunId(Date.now(), context.awsRequestId.replace(/-/g, '').slice(0, 16));
      const seeding = { sqs, names, tasks: registry, taskQueueUrl, runId };
      const request = readSeedRequest(event);
      if (isObjectRequest(request)) {
        const start = async (page: QueuedPage) => {
          if (burst > 0) await startBurst(lambda(), names, page, burst);
        };
        return await seedFromS3(request, seeding, place, context, start, options.s3);
      }
      const seeded = await seed(request, seeding);
      if (burst > 0 && seeded.chunks > 0) {
        const { first, count, chunks } = seeded;
        const { chunkItems = Math.ceil(count / chunks) } = request;
        const page = { first, chunkItems, chunks };
        const { failures } = await startBurst(lambda(), names, page, burst);
        for (const failure of failures) console.error(failure);
      }
      return seeded;
    } catch (error) {
      if (!(error instanceof FanfoldError)) throw error;
      const { code, message } = error;
      const where = error instanceof InputError ? { index: error.index, reason: error.reason } : {};
      return { error: { code, message, ...where } };
    }
  };
}

function burstOf(text: string | undefined): number {
  if (text === undefined || /^\d{1,4}$/.test(text)) return Number(text ?? 0);
  throw new FanfoldError(
    'BadOption',
    `FANFOLD_BURST is how many burst workers a run may start; "${text}" is not a number of them.`,
  );
}
