import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { type Listening, listen, type Service } from '../../src/emulator/transport/index.ts';
import { seedHandler, workerHandler } from '../../src/handlers.ts';
import { defineTask } from '../../src/index.ts';
import { readResults } from '../../src/pipeline/messages/result-message.ts';

const echo = defineTask({ name: 'echo', run: (input: number) => input });

/** AWS's throttling errors, and the number of times in a row that each is returned. */
interface Throttle {
  status: number;
  type: string;
  times: number;
}

let sqs: Sqs;
let lambda: Lambda;
let started: unknown[];
let refused: number;
const servers: Listening[] = [];

beforeEach(() => {
  sqs = new Sqs();
  lambda = new Lambda();
  started = [];
  refused = 0;
  // Makes the SDK's random pauses as short as possible.
  vi.spyOn(Math, 'random').mockReturnValue(0.001);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await lambda.close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
  sqs.close();
});

/** A service that throttles each call a few times: attempts at the same call share an id. */
function throttling(service: Service, { status, type, times }: Throttle): Service {
  const tries = new Map<string, number>();
  return (request) => {
    const id = request.headers['amz-sdk-invocation-id'] ?? '';
    const before = tries.get(id) ?? 0;
    tries.set(id, before + 1);
    if (before >= times) return service(request);
    refused++;
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-errortype': type };
    return { status, headers, body: JSON.stringify({ __type: type, message: 'Rate exceeded' }) };
  };
}

/** The handlers as they are on Lambda, with the clients that they make from the environment. */
async function deployed({ ofSqs, ofLambda }: { ofSqs?: Throttle; ofLambda?: Throttle }) {
  const never = { status: 500, type: 'never', times: 0 };
  const [forSqs, forLambda] = await Promise.all([
    listen(throttling(sqs.service, ofSqs ?? never)),
    listen(throttling(lambda.service, ofLambda ?? never)),
  ]);
  servers.push(forSqs, forLambda);
  vi.stubEnv('AWS_ENDPOINT_URL_SQS', forSqs.url);
  vi.stubEnv('AWS_ENDPOINT_URL_LAMBDA', forLambda.url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'any');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'any');
  vi.stubEnv('FANFOLD_NAME', 'Busy');
  vi.stubEnv('FANFOLD_BURST', '4');
  const plain = createSqsClient(sqs, { endpoint: forSqs.url });
  for (const suffix of ['tasks', 'tasks-dead', 'results']) {
    await plain.send(new CreateQueueCommand({ QueueName: `Busy-${suffix}` }));
  }
  lambda.addFunction('Busy-burst', async (event) => {
    started.push(event);
  });
  lambda.addFunction('Busy-worker', workerHandler({ echo }), { timeoutSeconds: 900 });
  const seed = seedHandler({ echo });
  return {
    startWorkers: () =>
      lambda.addSqsEventSource('Busy-worker', {
        sqs: plain,
        queueUrl: `${forSqs.url}/000000000000/Busy-tasks`,
        batchSize: 1,
        maxConcurrency: 2,
        reportBatchItemFailures: true,
      }),
    seed: (inputs: number[]) =>
      seed(
        { task: 'echo', inputs, chunkItems: 2 },
        { awsRequestId: crypto.randomUUID(), getRemainingTimeInMillis: () => 60_000 },
      ),
    results: () =>
      sqs.peek('Busy-results').flatMap(({ body }) => {
        const { runId } = JSON.parse(body) as { runId: string };
        return readResults(body, runId).lines.map(({ index }) => index);
      }),
  };
}

describe.each<[string, Throttle]>([
  ['RequestThrottled', { status: 403, type: 'com.amazonaws.sqs#RequestThrottled', times: 7 }],
  ['ThrottlingException', { status: 400, type: 'ThrottlingException', times: 7 }],
  ['503', { status: 503, type: 'ServiceUnavailable', times: 7 }],
])('an SQS that answers %s', (_, ofSqs) => {
  it('is retried: every input is seeded once, and every result is reported once', async () => {
    const { seed, startWorkers, results } = await deployed({ ofSqs });
    expect(await seed([0, 1, 2, 3, 4, 5])).toMatchObject({ count: 6, chunks: 3 });
    startWorkers();
    await expect.poll(() => sqs.peek('Busy-tasks').length, { timeout: 20_000 }).toBe(0);
    expect(results().sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(refused).toBeGreaterThan(10);
    expect(sqs.peek('Busy-tasks-dead')).toEqual([]);
  });
});

describe('a Lambda that answers TooManyRequestsException', () => {
  const throttled = { status: 429, type: 'TooManyRequestsException' };

  it('a few times still starts its burst workers', async () => {
    const { seed } = await deployed({ ofLambda: { ...throttled, times: 2 } });
    expect(await seed([0, 1, 2, 3, 4, 5])).toMatchObject({ count: 6, chunks: 3 });
    expect(started).toEqual(Array(3).fill({ hop: 0 }));
  });

  it('forever prevents neither seeding nor the event source from completing the run', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { seed, startWorkers, results } = await deployed({
      ofLambda: { ...throttled, times: Infinity },
    });
    expect(await seed([0, 1, 2, 3, 4, 5])).toMatchObject({ count: 6, chunks: 3 });
    expect(started).toEqual([]);
    expect(said).toHaveBeenCalled();
    startWorkers();
    await expect.poll(() => results().sort(), { timeout: 20_000 }).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
