import { hash } from 'node:crypto';
import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createS3Client, S3, type S3Options } from '../../src/emulator/s3/index.ts';
import { inProcess } from '../../src/emulator/transport/index.ts';
import { defineTask, RunLedger } from '../../src/index.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import { inputTooLarge, isOver } from '../../src/pipeline/messages/chunk.ts';
import { payloadItem } from '../../src/pipeline/messages/payload.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { callFunction } from '../../src/pipeline/run/call-function.ts';
import { Payloads } from '../../src/pipeline/run/payloads.ts';
import { cancelRun } from '../../src/pipeline/runs/cancel.ts';
import { collectRun } from '../../src/pipeline/runs/collect-run.ts';
import { outputText } from '../../src/pipeline/working/output-text.ts';
import {
  runThrough,
  type VirtualOptions,
  virtualDeployment,
  within,
} from './virtual-deployment.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => void vi.useRealTimers());

/** Over what a message can hold. */
const MANY = 1_100_000;
const MOST = 64 * 1024 * 1024;

const double = defineTask({
  name: 'double',
  backoffBaseSeconds: 0,
  run(text: string, { attempt }) {
    if (text.startsWith('again') && attempt === 1) throw new Error('not yet');
    return text + text;
  },
});

const inputs = ['small', 'x'.repeat(MANY), `again${'é'.repeat(MANY)}`, 'y'.repeat(MANY / 2)];
const doubled = inputs.map((text, index) => ({ index, output: text + text }));
const outputsOf = (results: { index: number }[]) =>
  results.map((result) => ({ index: result.index, output: Object(result).output }));

async function deployed({ allows, ...more }: S3Options & VirtualOptions = {}) {
  const objects = new S3(allows ? { allows } : {});
  objects.addBucket('bucket');
  const s3 = createS3Client(objects);
  const payloads = new Payloads(() => Promise.resolve({ s3, bucket: 'bucket' }));
  const made = await virtualDeployment([double], { workers: 2, payloads, ...more });
  made.startWorkers();
  const keys = async () => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: 'bucket' }));
    return Contents.map(({ Key = '' }) => Key);
  };
  return { ...made, objects, s3, keys, payloads };
}

/** Calls a function when the first object was stored whose key has these words. */
function onStored(s3: S3Client, words: string, then: () => Promise<unknown>): void {
  let isDone = false;
  s3.middlewareStack.add(
    (next, { commandName }) =>
      async (call) => {
        const answer = await next(call);
        const { Key = '' } = call.input as { Key?: string };
        if (isDone || commandName !== 'PutObjectCommand' || !Key.includes(words)) return answer;
        isDone = true;
        await then();
        return answer;
      },
    { step: 'initialize' },
  );
}

const isFailed = (code: string, words: string) =>
  expect.objectContaining({
    status: 'failed',
    error: expect.objectContaining({ code, message: expect.stringContaining(words) }),
  });

describe('inputs and outputs that no message can hold', () => {
  it('reach the task and the consumer, also in a further attempt, and leave nothing', async () => {
    const { deployment, keys, close } = await deployed();
    const run = new Run(deployment, 'double', inputs);
    const { results } = await runThrough(run);
    expect(outputsOf(results)).toEqual(doubled);
    expect(run.ledger).toMatchObject({ ok: 4, failed: 0 });
    expect(await within(60, keys())).toEqual([]);
    await close();
  });

  it('arrive in input order', async () => {
    const { deployment, close } = await deployed();
    const run = new Run<string>(deployment, 'double', inputs, { ordered: true });
    expect(await within(3_600, Array.fromAsync(run.outputs()))).toEqual(
      doubled.map(({ output }) => output),
    );
    await close();
  });

  it('may be in a request to the seed, from a caller that stores nothing itself', async () => {
    const { deployment, keys, close } = await deployed();
    const runId = newRunId();
    const { lambda, names } = deployment;
    const request = { task: 'double', inputs, runId, results: 'own' as const };
    await within(60, callFunction(lambda, names.seed, request));
    expect(await within(60, keys())).toContain(`payloads/${runId}/input-1`);
    const run = await within(60, collectRun(deployment, 'double', runId));
    const { results } = await runThrough(run);
    expect(outputsOf(results)).toEqual(doubled);
    expect(await within(60, keys())).toEqual([]);
    await close();
  });

  it('are each a failure of their own input when an object is missing or different', async () => {
    const { deployment, s3, payloads, close } = await deployed();
    const run: Run = new Run(deployment, 'double', inputs);
    onStored(s3, 'input-1', () => payloads.deleteOf(run.runId));
    onStored(s3, 'input-2', () => payloads.putInput(run.runId, 2, '"other"'));
    const { results } = await runThrough(run);
    expect(results).toEqual([
      expect.objectContaining({ status: 'ok' }),
      isFailed('Lost', 'object in the bucket for large inputs and outputs is missing'),
      isFailed('Lost', 'is not the one that was stored'),
      expect.objectContaining({ status: 'ok' }),
    ]);
    await close();
  });

  it('fail as Lost when an output is gone before it is read', async () => {
    const { deployment, s3, payloads, keys, close } = await deployed();
    const run: Run = new Run(deployment, 'double', inputs);
    onStored(s3, 'output-3', () => payloads.deleteOf(run.runId));
    const { results } = await runThrough(run);
    expect(results[3]).toEqual(isFailed('Lost', 'The output of input 3, of 1100002 bytes'));
    const { ok, failed } = run.ledger;
    expect([ok + failed, results.filter(({ status }) => status === 'failed').length]).toEqual([
      4,
      failed,
    ]);
    expect(await within(60, keys())).toEqual([]);
    await close();
  });

  it('are not fetched for a message that names an object of its own making', async () => {
    const { deployment, close } = await deployed();
    const line = payloadItem({ bytes: 5, sha256: hash('sha256', '"own"') });
    const { lambda, names } = deployment;
    const runId = newRunId();
    const request = { task: 'double', inputs: { lines: line }, runId, results: 'own' as const };
    await within(60, callFunction(lambda, names.seed, request));
    const run = await within(60, collectRun(deployment, 'double', runId));
    const { results } = await runThrough(run);
    expect(results).toEqual([isFailed('Lost', 'is missing')]);
    await close();
  });

  it('leave the run as it is when the consumer may not read them', async () => {
    let isAllowed = false;
    const allows: S3Options['allows'] = ({ action, key = '' }) =>
      action !== 's3:GetObject' || !key.includes('output-') || isAllowed;
    const { deployment, close } = await deployed({ allows });
    const run = new Run(deployment, 'double', inputs);
    const earlier = new RunLedger();
    earlier.expect(inputs.length);
    const known: number[] = [];
    const consume = async () => {
      for await (const { index } of run) {
        earlier.enter(index, 'ok');
        known.push(index);
      }
    };
    await expect(within(600, consume())).rejects.toMatchObject({
      code: 'RunFailed',
      message: expect.stringMatching(/^The output of input \d, of \d+ bytes, .*denies access/),
    });
    isAllowed = true;
    // Until its last heartbeat is old, and its messages are visible again.
    await within(200, new Promise((resolve) => setTimeout(resolve, 120_000)));
    const again = await within(60, collectRun(deployment, 'double', run.runId, { earlier }));
    const { results } = await runThrough(again);
    const left = doubled.filter(({ index }) => !known.includes(index));
    expect(outputsOf(results)).toEqual(left);
    await close();
  });

  it('wait for a bucket that fails for a moment', async () => {
    const { deployment, s3, close } = await deployed();
    const tries = new Map<unknown, number>();
    s3.middlewareStack.add(
      (next, { commandName }) =>
        (call) => {
          const one = `${commandName} ${(call.input as { Key?: string }).Key}`;
          tries.set(one, (tries.get(one) ?? 0) + 1);
          if (Number(tries.get(one)) % 3 !== 0) {
            const failed = { name: 'InternalError', $metadata: { httpStatusCode: 500 } };
            return Promise.reject(Object.assign(new Error('We had a problem'), failed));
          }
          return next(call);
        },
      { step: 'initialize', priority: 'low' },
    );
    const { results } = await runThrough(new Run(deployment, 'double', inputs));
    expect(outputsOf(results)).toEqual(doubled);
    await close();
  });

  it('are deleted when a run without a collector is cancelled', async () => {
    const { deployment, keys, close } = await deployed();
    const { lambda, names } = deployment;
    const runId = newRunId();
    const request = { task: 'double', inputs, runId, results: 'own' as const };
    await within(60, callFunction(lambda, names.seed, request));
    expect(await within(60, keys())).toContain(`payloads/${runId}/input-1`);
    // Its workers have stored the outputs by then.
    expect(await within(60, cancelRun(deployment, runId))).toEqual({ byCollector: false });
    expect(await within(60, keys())).toEqual([]);
    await close();
  });

  it('are refused with the reason where there is no bucket', async () => {
    const payloads = new Payloads(() => Promise.resolve(undefined));
    const { deployment, close } = await deployed({ payloads });
    const large = new Run(deployment, 'double', ['small', 'x'.repeat(MANY)]);
    await expect(runThrough(large)).rejects.toMatchObject({
      code: 'BadInput',
      message: expect.stringMatching(/^Input 1 has 1100002 bytes as JSON; .* has no bucket/),
    });
    const { results } = await runThrough(new Run(deployment, 'double', ['y'.repeat(MANY / 2)]));
    expect(results).toEqual([isFailed('OutputTooLarge', 'no bucket for larger ones')]);
    await close();
  });
});

it('are limited to 64 MiB of JSON text', async () => {
  expect(outputText('x'.repeat(MOST - 1))).toMatchObject({
    code: 'OutputTooLarge',
    message: expect.stringContaining(
      `${MOST + 1} bytes as JSON; an output can have at most ${MOST} (64 MiB)`,
    ),
  });
  expect([isOver('"é"', 4), isOver('"é"', 3)]).toEqual([false, true]);
  const error = inputTooLarge(7, MOST + 1);
  expect(error.message).toContain(
    `Input 7 has ${MOST + 1} bytes as JSON; an input can have at most ${MOST} (64 MiB)`,
  );
});

it('an object has as much time to be sent as a slow line needs', async () => {
  const objects = new S3();
  objects.addBucket('bucket');
  const alive = inProcess(objects.service, { streams: true });
  const times: number[] = [];
  const handle: typeof alive.handle = (request, options) => {
    const { requestTimeout = 0 } = options as { requestTimeout?: number };
    times.push(requestTimeout);
    return alive.handle(request, options);
  };
  // The SDK's own type of a handler is wider than what the emulator answers.
  const s3 = createS3Client(objects, { requestHandler: { ...alive, handle } as never });
  const payloads = new Payloads(() => Promise.resolve({ s3, bucket: 'bucket' }));
  for (const bytes of [1_000, 8_000_000]) {
    await within(60, payloads.putOutput(newRunId(), 0, 'x'.repeat(bytes)));
  }
  // At a megabit a second.
  expect(times).toEqual([60_008, 124_000]);
});
