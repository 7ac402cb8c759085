import { DeleteObjectCommand } from '@aws-sdk/client-s3';
import { expect, it, vi } from 'vitest';
import type { Fanfold } from '../../../src/fanfold.ts';
import type { Ledger } from '../../../src/pipeline/run/ledger.ts';
import { readManifest } from '../../../src/pipeline/storing/read.ts';
import { StateObject } from '../../../src/pipeline/storing/state-object.ts';
import { RetryLater } from '../../../src/retry-later.ts';
import { defineTask } from '../../../src/task.ts';
import { within } from '../virtual-deployment.ts';
import {
  BUCKET,
  half,
  inVirtualTime,
  keysIn,
  passUntil,
  type StoredOptions,
  storedDeployment,
} from './stored-deployment.ts';

inVirtualTime();

/** A task that does not end before the test does. */
const later = defineTask({
  name: 'later',
  run: (): number => {
    throw new RetryLater(600);
  },
});

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const PLACE = `s3://${BUCKET}/runs/` as const;

async function connected(options: StoredOptions = {}) {
  // Parts are written soon, which takes fewer steps of virtual time.
  const limits = { ms: 1_000, ...options.limits };
  const deployed = await storedDeployment([half, later], { ...options, limits });
  const fanfold = deployed.connection();
  return { ...deployed, fanfold };
}

const isRefused = (code: string, words: string) =>
  expect.objectContaining({ code, message: expect.stringContaining(words) });

it('stores the results of a run that a program starts, and yields them at its end', async () => {
  const { fanfold, close } = await connected({ limits: { length: 5_000 } });
  // Two pages: the second one belongs to the same run.
  const slow = async function* () {
    yield* numbers(200);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    yield* numbers(200);
  };
  const run = fanfold.map(half, slow(), { output: PLACE });
  await within(600, run.detach());
  expect(await run.output).toBe(`${PLACE}${run.runId}/`);
  const manifest = await within(3_600, run.wait());
  expect(manifest.ledger).toEqual({ inputs: 400, ok: 396, failed: 4, cancelled: 0 });
  const results = await within(600, Array.fromAsync(run));
  expect(results.length).toBe(400);
  expect(new Set(results.map(({ index }) => index)).size).toBe(400);
  expect(results.filter(({ status }) => status === 'failed').length).toBe(4);
  await close();
});

it('yields the outputs of a stored run in input order, whether it is ordered or not', async () => {
  const { fanfold, close } = await connected({ limits: { length: 2_000 } });
  const even = numbers(300).map((number) => number * 10);
  for (const ordered of [false, true]) {
    const run = fanfold.map(half, even, {
      output: { s3: PLACE, compression: 'gzip' },
      ordered,
    });
    const outputs = await within(3_600, Array.fromAsync(run.outputs()));
    expect(outputs).toEqual(even.map((input) => ({ half: input / 2 })));
  }
  await close();
});

it('uses the deployment’s own bucket, and tables, which are not read as lines', async () => {
  const { fanfold, s3, close } = await connected();
  const run = fanfold.map(half, numbers(100), { output: { s3: 's3://', format: 'csv' } });
  await within(3_600, run.wait());
  expect(await run.output).toBe(`${PLACE}${run.runId}/`);
  expect(await keysIn(s3, `runs/${run.runId}/results/`)).toEqual(['0001-000000.csv']);
  await expect(within(600, run.all())).rejects.toEqual(
    isRefused('BadOption', `results/0001-000000.csv. Fetch the objects as they are: aws s3 cp`),
  );
  await close();
});

it('refuses at once to read a run of tables as lines', async () => {
  const { fanfold, close } = await connected();
  const run = fanfold.map(later, [1], { output: { s3: 's3://', format: 'csv' } });
  const refused = isRefused('BadOption', 'become tables, which cannot be read as lines of JSON');
  await expect(within(60, run.all())).rejects.toEqual(refused);
  await expect(within(60, Array.fromAsync(run.soFar()))).rejects.toEqual(refused);
  expect(await within(60, fanfold.status(run.runId))).toBeDefined();
  await close();
});

it('stores a manifest for a run without inputs', async () => {
  const { fanfold, close } = await connected();
  const run = fanfold.map(half, [], { output: 's3' });
  const manifest = await within(3_600, run.wait());
  expect(manifest.ledger).toEqual({ inputs: 0, ok: 0, failed: 0, cancelled: 0 });
  await close();
});

it('another program finds a stored run, by its id or its folder', async () => {
  const { fanfold, connection, close } = await connected();
  const run = fanfold.map(half, numbers(100), { output: 's3' });
  await within(600, run.detach());
  const found = await within(60, connection().stored(run.runId));
  expect(await found.output).toBe(await run.output);
  const manifest = await within(3_600, found.wait());
  expect(manifest.runId).toBe(run.runId);
  const ended = await within(60, connection().stored(await run.output));
  expect(
    (
      await within(
        60,
        ended.all().catch((error) => error.results),
      )
    ).length,
  ).toBe(1);
  const unknown = '20261123T165514123-k3f9x2ab';
  await expect(within(60, connection().stored(unknown))).rejects.toEqual(
    isRefused('UnknownRun', `name the folder of its results in place of its id: s3://`),
  );
  await expect(connection().stored(7 as never)).rejects.toEqual(
    isRefused('BadOption', 'by its id, or by its folder, "s3://bucket/prefix/RUN/"; got 7'),
  );
  await close();
});

it('inputs that can’t be read end the run, which says so', async () => {
  const { fanfold, s3, close, manifest } = await connected();
  const broken = async function* () {
    yield* numbers(20);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    throw new Error('the source broke');
  };
  const run = fanfold.map(half, broken(), { output: 's3' });
  await expect(within(600, run.detach())).rejects.toThrow('the source broke');
  const made = await manifest(run.runId);
  expect(made.cause).toContain('the source broke');
  expect(made.ledger).toMatchObject({ inputs: 20, ok: 19, failed: 1 });
  expect(await readManifest(s3, { bucket: BUCKET, prefix: `runs/${run.runId}/` })).toEqual(made);
  await close();
});

const endless = async function* () {
  yield* numbers(20);
  await new Promise(() => {});
};

it('a run that is left before its inputs are seeded stays as it is', async () => {
  const { fanfold, close } = await connected();
  const run = fanfold.map(half, endless(), { output: 's3' });
  await within(600, run.output);
  run.leave();
  await expect(within(60, run.detach())).rejects.toEqual(isRefused('Closed', 'was left'));
  expect(run.seeded).toBe(20);
  await within(60, fanfold.close());
  await vi.advanceTimersByTimeAsync(120_000);
  expect(await within(60, fanfold.status(run.runId))).toMatchObject({ state: 'seeding' });
  await close();
});

it('a run whose program ends before its inputs are seeded ends, too', async () => {
  const { fanfold, manifest, close } = await connected();
  const run = fanfold.map(half, endless(), { output: 's3' });
  await within(600, run.output);
  await within(60, fanfold.close());
  const made = await manifest(run.runId);
  expect(made.cause).toContain('The connection was closed');
  expect(made.ledger.inputs).toBe(20);
  await close();
});

async function startedLater(fanfold: Fanfold) {
  const run = fanfold.map(later, numbers(10), { output: 's3', deadlineSeconds: 900 });
  await within(600, run.detach());
  return run;
}

it('cancelling leaves the queue to the collector function, which stores what there is', async () => {
  const { fanfold, close } = await connected();
  const run = await startedLater(fanfold);
  await within(60, run.cancel());
  const manifest = await within(3_600, run.wait());
  expect(manifest.cause).toBe('it was cancelled');
  expect(manifest.ledger).toMatchObject({ inputs: 10, cancelled: 10 });
  await close();
});

it('a run whose function was given up stays, and is collected by hand', async () => {
  // No collector survives its first call of S3.
  let isBroken = true;
  const { fanfold, watch, s3, close } = await connected({
    fateOf: ({ service, method, path }) =>
      isBroken && service === 's3' && method === 'GET' && path.endsWith('/state')
        ? 'dies before'
        : undefined,
  });
  const run = await startedLater(fanfold);
  // The function has the run, although it is being restarted.
  await expect(within(60, fanfold.collect('later', run.runId))).rejects.toEqual(
    isRefused('BadOption', 'is collected by the function virtual-collector'),
  );
  await expect(within(60, run.collect())).rejects.toEqual(isRefused('BadOption', 'given up'));
  isBroken = false;
  const folder = { bucket: BUCKET, prefix: `runs/${run.runId}/` };
  const state = await StateObject.load(s3, folder);
  await state?.replace({ isGivenUp: true, epoch: 9, owner: '' });
  await within(600, watch());
  await expect(within(600, run.wait())).rejects.toEqual(isRefused('RunFailed', 'given up'));
  const stop = new AbortController();
  const collecting = run.collect(stop.signal);
  collecting.catch(() => {});
  const status = () => fanfold.status(run.runId);
  await passUntil(async () => (await status())?.collector !== undefined, 60);
  const again = await within(60, fanfold.stored(run.runId));
  await expect(within(60, again.collect())).rejects.toEqual(
    isRefused('BadOption', 'is being collected'),
  );
  stop.abort(new Error('It was stopped.'));
  await expect(within(60, collecting)).rejects.toThrow('It was stopped.');
  // Neither cancelling nor pruning deletes its queue.
  expect(await within(60, fanfold.cancel(run.runId))).toEqual({
    byCollector: true,
    isEnding: true,
  });
  await vi.advanceTimersByTimeAsync(1_000_000);
  expect(await within(60, fanfold.prune())).toEqual([]);
  expect(await within(60, fanfold.status(run.runId))).toMatchObject({ output: await run.output });
  const seen: Ledger[] = [];
  await within(
    600,
    run.collect(undefined, (ledger) => void seen.push(ledger)),
  );
  expect(seen.at(-1)).toMatchObject({ inputs: 10, cancelled: 10 });
  const manifest = await within(60, run.wait());
  expect(manifest.ledger.inputs).toBe(10);
  expect(manifest.cause).toBeDefined();
  expect(await within(60, fanfold.status(run.runId))).toBeUndefined();
  await close();
});

it('a run whose record was deleted says so, and can be cancelled', async () => {
  let alarms = 0;
  const { fanfold, watch, s3, close } = await connected({
    timeoutSeconds: 90,
    onGivenUp: () => alarms++,
  });
  const run = await startedLater(fanfold);
  const Key = `runs/${run.runId}/state`;
  await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key }));
  const gone = isRefused('RunFailed', 'was deleted while the run went on');
  await expect(within(600, run.wait())).rejects.toEqual(gone);
  await expect(within(60, run.collect())).rejects.toEqual(gone);
  // The first collector of a young run may be about to start.
  await vi.advanceTimersByTimeAsync(120_000);
  await within(60, watch());
  expect(alarms).toBe(1);
  expect(await within(60, fanfold.cancel(run.runId))).toEqual({ byCollector: false });
  expect(await within(60, fanfold.status(run.runId))).toBeUndefined();
  await close();
});

it.each([
  ['a place that is none', { output: 'results.jsonl' }, 'BadInput', 'like "s3://bucket/prefix/"'],
  ['a number as a place', { output: 7 }, 'BadOption', '`output` must be "s3://bucket/prefix/"'],
  ['null as a place', { output: null }, 'BadOption', 'got null'],
  ['an object without a place', { output: {} }, 'BadOption', 'got {}'],
  ['a list of places', { output: ['s3'] }, 'BadOption', "got [ 's3' ]"],
  ['an option of other runs', { output: 's3', earlier: 1 }, 'BadOption', 'no option `earlier`'],
  ['a budget that is none', { output: 's3', maxFailures: 'a' }, 'BadOption', '`maxFailures` must'],
])('refuses %s', async (_, options, code, words) => {
  const { fanfold, close } = await connected();
  // JavaScript has no types.
  const map = () => fanfold.map('half', [1], options as { output: 's3' });
  expect(map).toThrow(isRefused(code, words));
  await close();
});
