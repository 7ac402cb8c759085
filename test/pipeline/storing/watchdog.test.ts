import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { newRunId } from '../../../src/pipeline/names.ts';
import { endedRunsOf } from '../../../src/pipeline/run/ended.ts';
import { findQueue } from '../../../src/pipeline/run/queues.ts';
import { readTags } from '../../../src/pipeline/run/tags.ts';
import type { StoredRun } from '../../../src/pipeline/storing/state.ts';
import { StateObject } from '../../../src/pipeline/storing/state-object.ts';
import { within } from '../virtual-deployment.ts';
import {
  BUCKET,
  type Call,
  half,
  inVirtualTime,
  passUntil,
  type StoredOptions,
  storedDeployment,
} from './stored-deployment.ts';

inVirtualTime();

/** A run that has no workers, and so no results. */
async function quietRun(options: StoredOptions, seconds = 86_400) {
  const deployed = await storedDeployment([half], { ...options, workers: 0 });
  const runId = newRunId();
  const expiresAt = Date.now() + seconds * 1000;
  await deployed.seed({ task: 'half', runId, inputs: [1], results: 's3', expiresAt });
  const load = async () => {
    const folder = { bucket: BUCKET, prefix: `runs/${runId}/` };
    const state = await StateObject.load(deployed.s3, folder);
    if (state === undefined) throw new Error(`Run ${runId} has no record.`);
    return state;
  };
  return {
    ...deployed,
    runId,
    record: async () => (await load()).run,
    change: async (changes: Partial<StoredRun>) => (await load()).replace(changes),
    /** Lets time pass until the run has had this many collectors. */
    reached: (epoch: number) => passUntil(async () => (await load()).run.epoch === epoch, 600),
  };
}

const readsRecord = ({ service, method, path }: Call) =>
  service === 's3' && method === 'GET' && path.endsWith('/state');

it('a collector that follows without a restart ends a row of restarts', async () => {
  let isBroken = true;
  const { record, change, reached, close } = await quietRun({
    fateOf: (call) => (isBroken && readsRecord(call) ? 'dies before' : undefined),
  });
  await change({ restarts: 4 });
  isBroken = false;
  await reached(1);
  expect((await record()).restarts).toBe(0);
  await close();
});

it('Lambda’s repetitions of a collector are one restart', async () => {
  const { record, watch, reached, close } = await quietRun({
    fateOf: ({ service }) => (service === 'events' ? 'dies before' : undefined),
  });
  await reached(3);
  expect((await record()).restarts).toBe(0);
  await within(60, watch());
  await reached(4);
  expect((await record()).restarts).toBe(1);
  await close();
});

it('a quiet collector that was replaced leaves the heartbeat of the next one', async () => {
  const { runId, deployment, change, reached, close } = await quietRun({ timeoutSeconds: 90 });
  await reached(1);
  const url = (await findQueue(deployment.sqs, deployment.names.run(runId))) ?? '';
  const beatAt = async () => (await readTags(deployment.sqs, url)).collectedAt;
  await passUntil(async () => (await beatAt()) !== undefined, 60);
  await change({ epoch: 2, owner: 'next' });
  const handoverAt = Date.now() + 30_000;
  await passUntil(async () => Date.now() > handoverAt + 5_000, 60);
  expect(await beatAt()).toBeGreaterThan(0);
  await close();
});

it('each look at a run that was given up raises the alarm', async () => {
  let alarms = 0;
  const { record, change, watch, reached, close } = await quietRun({
    fateOf: ({ service }) => (service === 'events' ? 'dies before' : undefined),
    onGivenUp: () => alarms++,
  });
  await reached(3);
  await change({ restarts: 5 });
  for (const looks of [1, 2]) {
    await within(60, watch());
    expect(alarms).toBe(looks);
  }
  expect(await record()).toMatchObject({ isGivenUp: true, epoch: 4 });
  await close();
});

it('a run whose record was deleted ends at its deadline', async () => {
  let alarms = 0;
  const options = { timeoutSeconds: 90, onGivenUp: () => alarms++ };
  const { runId, deployment, s3, watch, reached, close } = await quietRun(options, 300);
  await reached(1);
  await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: `runs/${runId}/state` }));
  const isThere = async () =>
    (await findQueue(deployment.sqs, deployment.names.run(runId))) !== undefined;
  const before = Date.now();
  await passUntil(async () => Date.now() > before + 200_000, 600);
  await within(60, watch());
  expect([alarms, await isThere()]).toEqual([1, true]);
  await passUntil(async () => Date.now() > before + 400_000, 600);
  await within(60, watch());
  expect([alarms, await isThere()]).toEqual([2, false]);
  const ended = await within(60, endedRunsOf(deployment));
  expect(ended).toMatchObject([
    { runId, cause: expect.stringMatching(/record in S3 was deleted/) },
  ]);
  await within(60, watch());
  expect(alarms).toBe(2);
  await close();
});
