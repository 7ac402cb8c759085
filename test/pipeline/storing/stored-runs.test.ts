import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { newRunId } from '../../../src/pipeline/names.ts';
import { findQueue } from '../../../src/pipeline/run/queues.ts';
import { defineTask } from '../../../src/task.ts';
import {
  BUCKET,
  type Call,
  type Fate,
  half,
  inVirtualTime,
  keysIn,
  passUntil,
  resultsOf,
  type StoredOptions,
  storedDeployment,
  textOf,
} from './stored-deployment.ts';

inVirtualTime();

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Runs the task over 1,000 inputs to the end, and checks that each has one result. */
async function stored(options: StoredOptions, results: object | 's3' = 's3', count = 1_000) {
  const run = await storedOnly(options, results, count);
  const all = await resultsOf(run.s3, run.made);
  expect(all.map(({ index }) => index).sort((one, other) => one - other)).toEqual(numbers(count));
  return { ...run, all };
}

/** The same, without a look at the results. */
async function storedOnly(options: StoredOptions, results: object | 's3', count = 1_000) {
  const deployed = await storedDeployment([half], options);
  const { seed, manifest, deployment } = deployed;
  const runId = newRunId();
  const request = { task: 'half', runId, inputs: numbers(count), results: results as 's3' };
  // As the SDK, the command line and Lambda do, a caller repeats a request that failed.
  const { output } = await seed(request).catch(() => seed(request));
  expect(output).toBe(`s3://${BUCKET}/runs/${runId}/`);
  const made = await manifest(runId, 7_200);
  const failed = count / 100;
  expect(made.ledger).toEqual({ inputs: count, ok: count - failed, failed, cancelled: 0 });
  const queue = deployment.names.run(runId);
  await passUntil(async () => (await findQueue(deployment.sqs, queue)) === undefined, 7_200);
  await deployed.close();
  return { ...deployed, runId, made };
}

it('stores each result once, and says how the run ended', async () => {
  const { s3, runId, made, events, all } = await stored({ limits: { length: 10_000 } });
  expect(made.parts.length).toBeGreaterThan(3);
  expect(made.parts.reduce((sum, { results }) => sum + results, 0)).toBe(1_000);
  expect(await keysIn(s3, `runs/${runId}/`)).toEqual(
    ['manifest.json', 'state', ...made.parts.map(({ key }) => key)].sort(),
  );
  expect(made.cause).toBeUndefined();
  expect(made.failures).toEqual([
    { code: 'TaskFailed', message: 'Error: odd input N', count: 10, indexes: expect.any(Array) },
  ]);
  expect(all.find(({ index }) => index === 10)).toMatchObject({
    status: 'ok',
    output: { half: 5 },
  });
  expect(events.map(({ type }) => type)).toEqual(['Fanfold Run Started', 'Fanfold Run Ended']);
  expect(events[1]?.detail).toMatchObject({
    runId,
    ledger: made.ledger,
    manifest: `s3://${BUCKET}/runs/${runId}/manifest.json`,
  });
});

/** A task whose even inputs have an output that no message can hold. */
const long = defineTask({
  name: 'long',
  run: (index: number) => (index % 2 === 0 ? `${index}`.padEnd(1_100_000, 'x') : index),
});

it('stores outputs that no message can hold, though its collector dies while it fetches one', async () => {
  let fetches = 0;
  const fateOf = ({ method, path }: Call): Fate =>
    method === 'GET' && path.includes('/payloads/') && ++fetches === 2 ? 'dies after' : undefined;
  const deployed = await storedDeployment([long], { limits: { ms: 1_000 }, fateOf });
  const { s3, seed, manifest } = deployed;
  const { runId } = await seed({ task: 'long', inputs: numbers(5), results: 's3' });
  const all = await resultsOf(s3, await manifest(runId));
  all.sort((one, other) => one.index - other.index);
  const lengths = all.map(({ output }) => String(output).length);
  expect(lengths).toEqual([1_100_000, 1, 1_100_000, 1, 1_100_000]);
  await passUntil(async () => (await keysIn(s3, 'payloads/')).length === 0, 3_600);
  await deployed.close();
});

it('merges the results of an ordered run into one object', async () => {
  const place = { s3: `s3://${BUCKET}/runs/`, ordered: true, compression: 'gzip' };
  const { s3, runId, made, all } = await stored({ limits: { length: 10_000 } }, place);
  expect(await keysIn(s3, `runs/${runId}/`)).toEqual(
    [
      'manifest.json',
      'results.jsonl.gz',
      'state',
      ...made.parts.filter(({ kind }) => kind === 'failed').map(({ key }) => key),
    ].sort(),
  );
  const ok = all.filter(({ status }) => status === 'ok').map(({ index }) => index);
  expect(ok).toEqual(numbers(1_000).filter((index) => index % 100 !== 7));
});

it('merges on in the next collector, even if one of them dies', async () => {
  const large = defineTask({ name: 'large', run: (input: number) => `${input}`.repeat(10_000) });
  const isPiece = ({ method, path }: Call) => method === 'PUT' && path.endsWith('/results.jsonl');
  let pieces = 0;
  const { seed, manifest, s3, calls, close } = await storedDeployment([large], {
    limits: { ms: 1_000, pieceBytes: 100_000 },
    timeoutSeconds: 120,
    msOf: (call) => (isPiece(call) ? 20_000 : 0),
    fateOf: (call) => (isPiece(call) && ++pieces === 6 ? 'dies after' : undefined),
  });
  const results = { s3: `s3://${BUCKET}/runs/`, ordered: true };
  const { runId } = await seed({ task: 'large', inputs: numbers(150), results });
  const made = await manifest(runId);
  await close();
  const saved = calls.filter(({ method, path }) => method === 'PUT' && path.includes('/merge/'));
  expect(saved.length).toBeGreaterThan(1);
  expect(made).toMatchObject({ ordered: true, parts: [{ key: 'results.jsonl', results: 150 }] });
  const all = await resultsOf(s3, made);
  expect(all.map(({ index }) => index)).toEqual(numbers(150));
  expect(await keysIn(s3, `runs/${runId}/merge/`)).toEqual([]);
  const { Uploads } = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  expect(Uploads).toBeUndefined();
});

it('deletes at the end what killed collectors have left', async () => {
  const { seed, manifest, s3, close } = await storedDeployment([half], { limits: { ms: 1_000 } });
  const { runId } = await seed({ task: 'half', inputs: numbers(5), results: 's3' });
  const left = ['results.jsonl', 'results/0009-000001.jsonl', 'failed/0009-000001.jsonl'];
  for (const name of [...left, 'results-of-a-reader.txt']) {
    const Key = `runs/${runId}/${name}`;
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'left' }));
  }
  const { parts } = await manifest(runId);
  expect(await keysIn(s3, `runs/${runId}/`)).toEqual(
    ['manifest.json', ...parts.map(({ key }) => key), 'results-of-a-reader.txt', 'state'].sort(),
  );
  await close();
});

it.each(['dies before', 'dies after'] as const)(
  'loses nothing if a collector %s a call',
  async (fate) => {
    const limits = { length: 6_000 };
    const { calls } = await stored({ limits }, 's3', 200);
    // The simulation kills collectors at any call: this one is the write of a record.
    const writes = calls.filter(({ method, path }) => method === 'PUT' && path.endsWith('/state'));
    const at = writes[Math.floor(writes.length / 2)]?.number;
    const fateOf = ({ number }: Call): Fate => (number === at ? fate : undefined);
    const { events, made } = await stored({ limits, fateOf }, 's3', 200);
    expect(events.at(-1)?.type).toBe('Fanfold Run Ended');
    expect(made.parts.some(({ key }) => key.includes('/0002-'))).toBe(true);
  },
);

it.each(['csv', 'parquet'])(
  'stores tables as %s, and what does not fit beside them',
  async (format) => {
    const place = { s3: `s3://${BUCKET}/runs/`, format };
    const limits = { length: 10_000, sampleResults: 300 };
    const { made } = await storedOnly({ limits }, place);
    const results = made.parts.filter(({ kind }) => kind === 'results');
    expect(results.length).toBeGreaterThan(1);
    for (const { key } of results) expect(key).toMatch(new RegExp(`\\.${format}$`));
    expect(results.reduce((sum, part) => sum + part.results, 0)).toBe(made.ledger.ok);
  },
);

it('the columns of tables follow from the first results, however slowly they come', async () => {
  const first = [null, { price: 9 }, { price: 9.5 }, { price: 1, note: 'x' }];
  const outputs = [...first, { price: 'none' }];
  const slow = defineTask({
    ...{ name: 'slow', maxAttempts: 1, timeoutSeconds: 800 },
    async run(index: number) {
      await new Promise((resolve) => setTimeout(resolve, index * 150_000));
      return outputs[index] ?? null;
    },
  });
  const { seed, s3, manifest, close } = await storedDeployment([slow], {
    workers: 5,
    limits: { sampleResults: 4 },
    // Several collectors take the sample.
    timeoutSeconds: 200,
  });
  const results = { s3: `s3://${BUCKET}/runs/`, format: 'csv' } as const;
  const request = { task: 'slow', inputs: [0, 1, 2, 3, 4], chunkItems: 1, results };
  const { runId } = await seed(request);
  const { parts } = await manifest(runId);
  await close();
  const texts = await Promise.all(parts.map(({ key }) => textOf(s3, `runs/${runId}/${key}`)));
  expect(texts.map((text) => text?.split('\r\n'))).toEqual([
    ['index,price,note', '0,,', '1,9,', '2,9.5,', ''],
    ['index,price,note', '3,1,x', ''],
    [expect.stringContaining('{"price":"none"}')],
  ]);
  expect(parts.map(({ indexes }) => indexes)).toEqual([
    [0, 2],
    [3, 3],
    [4, 4],
  ]);
  expect(await keysIn(s3, `runs/${runId}/results/`)).toHaveLength(2);
});

describe('a place that can not be used is refused before anything is queued', () => {
  it.each([
    ['s3://elsewhere-of-tests/runs/', /may be stored in s3:.*resultPlaces/],
    ['not a place', /like "s3:\/\/bucket\/prefix\/"/],
    [`s3://${BUCKET}/runs//x/`, /no empty folder/],
    [`s3://${BUCKET}/runs/${'x'.repeat(260)}/`, /at most 256 characters/],
  ])('%s', async (s3, why) => {
    const { seed, tasksLeft, close } = await storedDeployment([half]);
    await expect(seed({ task: 'half', inputs: [1], results: { s3 } })).rejects.toThrow(why);
    expect(tasksLeft()).toEqual([]);
    await close();
  });
});

it('a run that goes on refuses a request that is about another one', async () => {
  const whole = defineTask({ name: 'whole', run: (input: number) => input });
  const { seed, s3, close } = await storedDeployment([half, whole]);
  const place = { s3: `s3://${BUCKET}/runs/` };
  const inS3 = { task: 'half', runId: newRunId(), inputs: [1], more: true, results: place };
  const inQueue = { ...inS3, runId: newRunId(), results: 'own' } as const;
  for (const first of [inS3, inQueue]) {
    await seed(first);
    // As Lambda does, a caller may repeat a request.
    await seed(first);
  }
  const refused = async (request: Parameters<typeof seed>[0], why: RegExp) =>
    expect(seed(request)).rejects.toThrow(why);
  await refused({ ...inS3, results: { s3: `${place.s3}other/` } }, /other\//);
  await refused({ ...inS3, results: 'own' }, /queue of its own/);
  await refused({ ...inS3, task: 'whole' }, /task "half"/);
  await refused({ ...inS3, results: { ...place, format: 'csv' } }, /format` jsonl/);
  await refused({ ...inS3, results: { ...place, compression: 'gzip' } }, /compression` none/);
  await refused({ ...inQueue, results: 's3' }, /queue of its own/);
  await refused({ ...inQueue, task: 'whole' }, /task "half"/);
  expect(await keysIn(s3, 'runs/other/')).toEqual([]);
  await close();
});
