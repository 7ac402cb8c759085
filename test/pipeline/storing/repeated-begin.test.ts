// The first request of a stored run, made again or twice at once.
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { newRunId } from '../../../src/pipeline/names.ts';
import { within } from '../virtual-deployment.ts';
import { BUCKET, half, inVirtualTime, keysIn, storedDeployment } from './stored-deployment.ts';

inVirtualTime();

const PLACE = `s3://${BUCKET}/runs/` as const;

it('a request that is repeated after its run’s end is answered, and sends nothing', async () => {
  const { s3, seed, manifest, tasksLeft, close } = await storedDeployment([half]);
  const Key = 'inputs.jsonl';
  await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: '1\n2\n3\n' }));
  for (const inputs of [[1, 2, 3], { s3: `s3://${BUCKET}/${Key}` }]) {
    const about = { task: 'half', runId: newRunId(), results: { s3: PLACE } };
    // One of the two forms of a request, as the compiler needs to see it.
    const request = Array.isArray(inputs) ? { ...about, inputs } : { ...about, inputs };
    const first = await within(600, seed(request));
    expect(first).toMatchObject({ count: 3, chunks: expect.any(Number) });
    const made = await manifest(first.runId);
    const again = await within(600, seed(request));
    const { runId, output, resultQueueUrl } = first;
    expect(again).toMatchObject({ runId, output, resultQueueUrl, count: 3, chunks: 0 });
    expect(again.over).toEqual({ inputs: 3 });
    expect(tasksLeft()).toEqual([]);
    expect(await manifest(runId)).toEqual(made);
    const other = within(600, seed({ ...request, inputs: [1, 2] }));
    await expect(other).rejects.toThrow(/already holds the results of a run/);
    const csv = { ...request, results: { s3: PLACE, format: 'csv' } as const };
    await expect(within(600, seed(csv))).rejects.toThrow(/has begun already, with the `format`/);
  }
  await close();
});

it('a caller that gets the seed’s answer only at the second try has the run', async () => {
  const { deployment, connection, manifest, close } = await storedDeployment([half]);
  let invocations = 0;
  deployment.lambda.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      const { FunctionName } = args.input as { FunctionName?: string };
      if (FunctionName !== deployment.names.seed || ++invocations > 1) return answer;
      const { runId } = run;
      await manifest(runId);
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    },
    { step: 'initialize' },
  );
  const run = connection().map(half, [1, 2, 3], { output: PLACE });
  const { ledger } = await within(3_600, run.wait());
  expect(invocations).toBe(2);
  expect(ledger).toEqual({ inputs: 3, ok: 3, failed: 0, cancelled: 0 });
  await close();
});

it.each(['dies before', 'dies after'] as const)(
  'a run begins though the collector function %s its first write',
  async (fate) => {
    let writes = 0;
    const { connection, close } = await storedDeployment([half], {
      fateOf: ({ method, path }) =>
        method === 'PUT' && path.endsWith('/state') && ++writes === 1 ? fate : undefined,
    });
    const run = connection().map(half, [1, 2, 3], { output: PLACE });
    expect((await within(3_600, run.wait())).ledger.ok).toBe(3);
    await close();
  },
);

it('of two places for one run at the same moment, one is refused before anything is sent', async () => {
  const { s3, seed, manifest, close } = await storedDeployment([half]);
  const request = { task: 'half', runId: newRunId(), inputs: [1, 2, 3] };
  const places = [PLACE, `${PLACE}other/`];
  const both = places.map((place) => seed({ ...request, results: { s3: place } }));
  const settled = await within(600, Promise.allSettled(both));
  const begun = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const refused = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(begun).toHaveLength(1);
  expect(refused).toEqual([
    expect.objectContaining({
      code: 'BadInput',
      message: expect.stringMatching(/goes on already, and its results go to s3:/),
    }),
  ]);
  if (begun[0]?.output?.includes('other')) {
    expect(await keysIn(s3, `runs/${request.runId}/results/`)).toEqual([]);
  } else expect((await manifest(request.runId)).ledger.ok).toBe(3);
  await close();
});
