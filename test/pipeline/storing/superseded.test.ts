import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { createS3Client, S3 } from '../../../src/emulator/s3/index.ts';
import { inProcess } from '../../../src/emulator/transport/index.ts';
import { RunStatistics } from '../../../src/pipeline/collecting/run-statistics.ts';
import { ResultBatch } from '../../../src/pipeline/messages/result-message.ts';
import { RunLedger } from '../../../src/pipeline/run/ledger.ts';
import { PartStore } from '../../../src/pipeline/storing/part-store.ts';
import { newStoredRun } from '../../../src/pipeline/storing/state.ts';
import { StateObject, Superseded } from '../../../src/pipeline/storing/state-object.ts';
import { BUCKET, keysIn } from './stored-deployment.ts';

/** Collectors whose write of the record takes effect, if at all, while another claims the run. */
async function superseded({ hasEffect }: { hasEffect: boolean }) {
  const objects = new S3();
  const s3 = createS3Client(objects);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const folder = { bucket: BUCKET, prefix: 'runs/r/' };
  let next: StateObject | undefined;
  const claim = async () => {
    next = await StateObject.load(s3, folder);
    await next?.replace({ epoch: 2, owner: 'next' });
  };
  let isLosing = false;
  const alive = inProcess(objects.service, { streams: true });
  const handle: typeof alive.handle = async (request, more) => {
    if (!isLosing || request.method !== 'PUT' || !request.path.endsWith('/state')) {
      return alive.handle(request, more);
    }
    isLosing = false;
    if (hasEffect) await alive.handle(request, more);
    await claim();
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  };
  // The SDK's own type of a handler is wider than what the emulator answers.
  const losing = createS3Client(objects, { requestHandler: { ...alive, handle } as never });
  const options = { runId: 'r', task: 't', format: 'jsonl', expiresAt: 0 } as const;
  await StateObject.create(s3, folder, newStoredRun(options));
  const state = await StateObject.load(losing, folder);
  if (state === undefined) throw new Error('There is no record.');
  await state.replace({ epoch: 1, owner: 'first' });
  const ledger = new RunLedger();
  ledger.enter(0, 'ok');
  const statistics = RunStatistics.of('r', Date.now);
  const store = new PartStore({ s3: losing, folder, state, ledger, statistics });
  const text = '{"index":0,"status":"ok","output":0}';
  await store.add(ResultBatch.ofLines([{ index: 0, status: 'ok', text }]));
  let acknowledged = 0;
  store.taken({ receiptHandles: ['one'] }, () => acknowledged++);
  isLosing = true;
  await expect(store.flush()).rejects.toThrow(Superseded);
  expect(acknowledged).toBe(0);
  return { listed: next?.run.parts.map(({ key }) => key), keys: await keysIn(s3, folder.prefix) };
}

it('a replaced collector leaves its parts that the record lists', async () => {
  const { listed, keys } = await superseded({ hasEffect: true });
  expect(listed).toEqual(['results/0001-000001.jsonl']);
  expect(keys).toEqual(['results/0001-000001.jsonl', 'state']);
});

it('a replaced collector deletes its parts that the record does not list', async () => {
  const { listed, keys } = await superseded({ hasEffect: false });
  expect(listed).toEqual([]);
  expect(keys).toEqual(['state']);
});

it('a collector knows its own write again when the answer to it was lost', async () => {
  const objects = new S3();
  const s3 = createS3Client(objects);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const folder = { bucket: BUCKET, prefix: 'runs/r/' };
  const alive = inProcess(objects.service, { streams: true });
  let isLosing = true;
  const handle: typeof alive.handle = async (request, more) => {
    const answer = await alive.handle(request, more);
    if (request.method !== 'PUT' || !isLosing) return answer;
    isLosing = false;
    throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
  };
  const losing = createS3Client(objects, { requestHandler: { ...alive, handle } as never });
  const options = { runId: 'r', task: 't', format: 'jsonl', expiresAt: 0 } as const;
  await StateObject.create(s3, folder, newStoredRun(options));
  const state = await StateObject.load(losing, folder);
  await state?.replace({ epoch: 1, owner: 'first' });
  expect(isLosing).toBe(false);
  await state?.replace({ epoch: 1, owner: 'first', restarts: 1 });
  expect((await StateObject.load(s3, folder))?.run).toMatchObject({ owner: 'first', restarts: 1 });
});
