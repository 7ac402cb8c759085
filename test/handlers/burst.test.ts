import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defineTask } from '../../src/index.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import { namesOf, newRunId } from '../../src/pipeline/names.ts';
import { callFunction } from '../../src/pipeline/run/call-function.ts';
import { startBurst } from '../../src/pipeline/seed/burst.ts';
import { die, runThrough, virtualDeployment, within } from '../pipeline/virtual-deployment.ts';

let executions: number[];

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
  executions = [];
});
afterEach(() => {
  vi.useRealTimers();
});

const range = (length: number) => Array.from({ length }, (_, index) => index);
const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Lets virtual time pass until a condition holds. */
async function until(seconds: number, so: () => boolean): Promise<void> {
  const reached = async () => {
    while (!so()) await sleep(0.1);
  };
  await within(seconds, reached());
}

/** Takes as many seconds as its input says. */
const slow = defineTask({
  name: 'slow',
  timeoutSeconds: 100,
  async run(seconds: number, { index }) {
    executions.push(index);
    await sleep(seconds);
    return index;
  },
});

async function invokeBurst(
  { deployment: { lambda, names } }: Awaited<ReturnType<typeof virtualDeployment>>,
  event: unknown,
) {
  const Payload = JSON.stringify(event);
  const invoke = new InvokeCommand({ FunctionName: names.burst, Payload });
  const { Payload: answer, FunctionError } = await lambda.send(invoke);
  return { FunctionError, answer: JSON.parse(answer?.transformToString() ?? '') };
}

describe('burst workers', () => {
  it('complete a whole run on their own, each started once by the seed', async () => {
    const deployed = await virtualDeployment([slow], { burst: 4, workers: 8 });
    const { results, seconds } = await runThrough(
      new Run(deployed.deployment, 'slow', Array(40).fill(1)),
    );
    expect(results.map(({ status }) => status)).toEqual(Array(40).fill('ok'));
    expect(executions.sort((a, b) => a - b)).toEqual(range(40));
    // Ten seconds of work for each of four.
    expect(seconds).toBeLessThan(13);
    await until(30, () => deployed.bursts.length === 4);
    expect(deployed.bursts.map(({ end }) => end)).toEqual(Array(4).fill('empty'));
    expect(deployed.tasksLeft()).toEqual([]);
    await deployed.close();
  });

  it('are no more than a run has chunks', async () => {
    const deployed = await virtualDeployment([slow], { burst: 100, workers: 3 });
    await runThrough(new Run(deployed.deployment, 'slow', [1, 1, 1]));
    await until(30, () => deployed.bursts.length >= 3);
    await within(30, sleep(20));
    expect(deployed.bursts).toHaveLength(3);
    await deployed.close();
  });

  it.each([
    ['whichever inputs its first page has', { continues: false }, 3],
    ['by the number of inputs before a page', { continues: true, first: 2 }, 2],
    ['of which none are left for a later page', { continues: true, first: 900 }, 0],
    ['by the indexes where an earlier version seeds', { continues: true }, 0],
  ])('are started for a run that is resumed, %s', async (_, page, workers) => {
    const deployed = await virtualDeployment([slow], { burst: 4, workers: 8 });
    const { deployment, bursts } = deployed;
    const runId = newRunId();
    const begin = { task: 'slow', runId, results: 'own', total: 6_000, chunkItems: 1, inputs: [] };
    await within(30, callFunction(deployment.lambda, deployment.names.seed, begin));
    const indexes = [[5_000, 5_002]];
    const request = { ...begin, ...page, indexes, inputs: [1, 1, 1] };
    await within(30, callFunction(deployment.lambda, deployment.names.seed, request));
    await within(60, sleep(30));
    expect(bursts).toHaveLength(workers);
    await deployed.close();
  });

  it('continue in a new invocation when their time is nearly over, and run nothing twice', async () => {
    const deployed = await virtualDeployment([slow], { burst: 1, burstTimeoutSeconds: 200 });
    const { results } = await runThrough(
      new Run(deployed.deployment, 'slow', Array(20).fill(40)),
      20 * 40 + 60,
    );
    expect(results.map(({ status }) => status)).toEqual(Array(20).fill('ok'));
    expect(executions.sort((a, b) => a - b)).toEqual(range(20));
    await until(30, () => deployed.bursts.at(-1)?.end === 'empty');
    expect(deployed.bursts.slice(0, -1)).toEqual(
      Array(deployed.bursts.length - 1).fill(
        expect.objectContaining({ end: 'late', continued: true }),
      ),
    );
    expect(deployed.bursts.length).toBeGreaterThan(4);
    await deployed.close();
  });

  it('return a chunk within two minutes if Lambda ends their process', async () => {
    const mortal = defineTask({
      name: 'mortal',
      run(_: null, { index }) {
        executions.push(index);
        return executions.length === 1 ? die() : index;
      },
    });
    const deployed = await virtualDeployment([mortal], { burst: 1 });
    // Only a burst worker can have received it first.
    setTimeout(deployed.startWorkers, 10_000);
    const { results, seconds } = await runThrough(new Run(deployed.deployment, 'mortal', [null]));
    expect(results).toMatchObject([{ status: 'ok' }]);
    expect(executions).toEqual([0, 0]);
    expect(seconds).toBeLessThan(150);
    await deployed.close();
  });

  it.each([
    ['the option of the run', slow, { concurrency: 2 }],
    ['the task’s definition', { ...slow, runConcurrency: 2 }, {}],
  ])('are as many as the lanes of a run that is bounded by %s', async (_, task, options) => {
    const deployed = await virtualDeployment([task], { burst: 10, workers: 20 });
    const { results } = await runThrough(
      new Run(deployed.deployment, 'slow', Array(12).fill(1), options),
    );
    expect(results.map(({ status }) => status)).toEqual(Array(12).fill('ok'));
    await until(30, () => deployed.bursts.length >= 2);
    await within(30, sleep(20));
    expect(deployed.bursts).toHaveLength(2);
    await deployed.close();
  });

  it('continue at most a hundred times', async () => {
    const deployed = await virtualDeployment([slow], { burst: 0, burstTimeoutSeconds: 200 });
    const run = new Run(deployed.deployment, 'slow', [90, 90, 90, 90]);
    run.detach();
    await until(10, () => deployed.tasksLeft().length > 0);
    const { answer } = await within(300, invokeBurst(deployed, { hop: 99 }));
    expect(answer).toMatchObject({ end: 'late', continued: false });
    await deployed.close();
  });

  it('that find nothing end in a few seconds', async () => {
    const deployed = await virtualDeployment([slow]);
    const begun = Date.now();
    const { answer } = await within(30, invokeBurst(deployed, {}));
    expect(answer).toEqual({ chunks: 0, end: 'empty', continued: false });
    expect(Date.now() - begun).toBeLessThan(7_000);
    await deployed.close();
  });

  it.each([[null], [7], ['hop'], [{ hop: -1 }], [{ hop: '1' }], [{ Records: [] }], [[]]])(
    'refuse the event %j with a sentence',
    async (event) => {
      const deployed = await virtualDeployment([slow]);
      const { FunctionError, answer } = await within(30, invokeBurst(deployed, event));
      expect({ FunctionError, answer }).toMatchObject({
        FunctionError: 'Unhandled',
        answer: { errorMessage: expect.stringMatching(/^The burst function expects \{"hop": N\}/) },
      });
      await deployed.close();
    },
  );
});

describe('burst workers that the seed starts', () => {
  const names = namesOf('any');
  /** A deployment with busy workers that counts invocations and refuses those that `refuse` selects. */
  function deployment({
    busy = async () => 0,
    refuse = () => false,
  }: {
    busy?: (queueUrl: string) => Promise<number>;
    refuse?: (at: number) => boolean;
  } = {}) {
    let sent = 0;
    const lambda = {
      send: async () => {
        if (refuse(sent++)) throw new Error('Rate Exceeded.');
      },
    } as unknown as LambdaClient;
    const sqs = {
      send: async ({ input }: GetQueueAttributesCommand) => {
        const count = await busy(input.QueueUrl ?? '');
        return { Attributes: { ApproximateNumberOfMessagesNotVisible: String(count) } };
      },
    } as unknown as SQSClient;
    return { place: { lambda, sqs, names, taskQueueUrl: TASKS }, sent: () => sent };
  }
  const TASKS = 'http://localhost/0/any-tasks';
  const page = { before: 0, chunks: 500 };

  it('are as many as the limit over all pages of a run, or as its chunks', async () => {
    const pages = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(pages, fc.nat(60), async (all, burst) => {
        const { place, sent } = deployment();
        let before = 0;
        for (const chunks of all) {
          await startBurst(place, { before, chunks }, { burst, workers: 1000 });
          before += chunks;
        }
        expect(sent()).toBe(Math.min(burst, before));
      }),
    );
  });

  it('are no more than there is room for beside busy workers', async () => {
    const inLanes = fc.nat(100);
    const counts = fc.record({
      busy: fc.nat(200),
      inLanes,
      burst: fc.nat(150),
      workers: fc.nat(200),
    });
    await fc.assert(
      fc.asyncProperty(counts, fc.nat(300), async ({ busy, inLanes, burst, workers }, chunks) => {
        const { place, sent } = deployment({
          busy: async (queueUrl) => (queueUrl === TASKS ? busy : inLanes),
        });
        const { started } = await startBurst(place, { ...page, chunks }, { burst, workers });
        expect(started).toBe(Math.max(0, Math.min(burst, chunks, workers - busy - inLanes)));
        expect(sent()).toBe(started);
      }),
    );
  });

  it('are no more than a run with bounds has lanes, over all of its pages', async () => {
    const { place, sent } = deployment();
    const limits = { burst: 70, workers: 100 };
    await startBurst(place, { ...page, chunks: 2, lanes: 3 }, limits);
    await startBurst(place, { ...page, before: 2, lanes: 3 }, limits);
    expect(sent()).toBe(3);
  });

  it('are as many as the limit where busy workers cannot be counted', async () => {
    const denied = new Error('Access denied');
    const { place } = deployment({ busy: () => Promise.reject(denied) });
    const limits = { burst: 70, workers: 100 };
    expect(await startBurst(place, page, limits)).toEqual({ started: 70, failures: [denied] });
  });

  it('are no longer started once starts fail, which does no harm', async () => {
    const { place, sent } = deployment({ refuse: () => true });
    const { started, failures } = await startBurst(place, page, { burst: 300, workers: 1000 });
    expect({ started, failures: failures.length, sent: sent() }).toEqual({
      started: 0,
      failures: 10,
      sent: 10,
    });
  });

  it('are still started after single failures', async () => {
    const { place, sent } = deployment({ refuse: (at) => at === 5 || at === 50 });
    const { started } = await startBurst(place, page, { burst: 300, workers: 1000 });
    expect({ started, sent: sent() }).toEqual({ started: 298, sent: 300 });
  });
});
