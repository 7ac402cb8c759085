// Runs that continue a stored run which has ended.
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import type { Fanfold } from '../../../src/fanfold.ts';
import type { WatchOptions } from '../../../src/handlers.ts';
import { S3Inputs } from '../../../src/pipeline/seeding/s3-inputs.ts';
import type { Manifest } from '../../../src/pipeline/storing/manifest.ts';
import { RetryLater } from '../../../src/retry-later.ts';
import { defineTask } from '../../../src/task.ts';
import { within } from '../virtual-deployment.ts';
import { BUCKET, inVirtualTime, resultsOf, storedDeployment, textOf } from './stored-deployment.ts';

inVirtualTime();

/** Whether inputs from 60 on wait, and those that end with a 7 fail. */
let isHard = true;
/** Inputs that were run, in order. */
let ran: number[] = [];

const tenth = defineTask({
  name: 'tenth',
  maxAttempts: 1,
  run(input: number) {
    ran.push(input);
    if (isHard && input % 10 === 7) throw new Error(`odd input ${input}`);
    if (isHard && input >= 60) throw new RetryLater(600);
    return { tenth: input / 10 };
  },
});

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);
const PLACE = `s3://${BUCKET}/runs/` as const;
type Output = { s3: typeof PLACE; format?: 'jsonl' | 'csv' | 'parquet'; compression?: 'gzip' };

async function connected() {
  isHard = true;
  ran = [];
  const deployed = await storedDeployment([tenth], { limits: { ms: 1_000, length: 1_000 } });
  return { ...deployed, fanfold: deployed.connection() };
}

/** Starts a run of 100 inputs, cancels it when 60 of them have a result, and waits for its end. */
async function cancelled(fanfold: Fanfold, output: Partial<Output> = {}, ordered = false) {
  const run = fanfold.map(tenth, numbers(100), { output: { s3: PLACE, ...output }, ordered });
  await within(600, run.detach());
  const settled = async () => {
    const status = await fanfold.status(run.runId);
    return (status?.ok ?? 0) + (status?.failed ?? 0);
  };
  for (let waited = 0; (await within(60, settled())) < 64; waited++) {
    expect(waited).toBeLessThan(600);
    await within(60, new Promise((resolve) => setTimeout(resolve, 1_000)));
  }
  await within(600, run.cancel());
  const manifest = await within(3_600, run.wait());
  // Of the inputs from 60 on, only those that end with a 7 have a result.
  expect(manifest.ledger).toEqual({ inputs: 100, ok: 54, failed: 10, cancelled: 36 });
  isHard = false;
  ran = [];
  return run;
}

async function indexesOf(s3: S3Client, manifest: Manifest) {
  const all = await resultsOf(s3, manifest);
  expect(all.length).toBe(manifest.ledger.inputs);
  return all.sort((one, other) => one.index - other.index);
}

const isRefused = (code: string, words: string | RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(words) });

it('runs the inputs without a result, and lists one result for each', async () => {
  const { fanfold, s3, close } = await connected();
  const run = await cancelled(fanfold);
  const resume = await within(3_600, run.kept());
  const next = fanfold.map(tenth, numbers(100), { output: PLACE, resume });
  const manifest = await within(3_600, next.wait());
  expect(ran.sort((one, other) => one - other)).toEqual(
    numbers(100).filter((input) => input >= 60 && input % 10 !== 7),
  );
  expect(manifest.ledger).toEqual({ inputs: 100, ok: 90, failed: 10, cancelled: 0 });
  expect(manifest.cause).toBeUndefined();
  expect(manifest.continues).toBe(`${PLACE}${run.runId}/`);
  const results = await indexesOf(s3, manifest);
  expect(results.map(({ index }) => index)).toEqual(numbers(100));
  expect(manifest.failures).toMatchObject([{ code: 'TaskFailed', count: 10 }]);
  const yielded = await within(3_600, Array.fromAsync(next.soFar({ ordered: true })));
  expect(yielded.flatMap(({ lines }) => lines.map(({ index }) => index))).toEqual(numbers(100));
  await close();
});

it('has as many chunks and burst workers as a run over the inputs that are left', async () => {
  const pages: unknown[] = [];
  const log: WatchOptions['log'] = (_, message, fields) => {
    if (message === 'A page was queued') pages.push(Object(fields).chunks);
  };
  // Burst workers end once there was nothing to do for a few seconds.
  const idle = () => within(60, new Promise((resolve) => setTimeout(resolve, 30_000)));
  const options = { workers: 2, burst: 2, hasEventSource: false, watching: { log } };
  const deployed = await storedDeployment([tenth], options);
  isHard = false;
  const fanfold = deployed.connection();
  const run = fanfold.map(tenth, numbers(640), { output: PLACE });
  await within(3_600, run.wait());
  await idle();
  const resume = await within(3_600, run.kept());
  const next = fanfold.map(tenth, numbers(640 + 64), { output: PLACE, resume });
  const manifest = await within(3_600, next.wait());
  expect(manifest.ledger).toMatchObject({ inputs: 704, ok: 704 });
  expect(pages).toEqual([64, 64]);
  await idle();
  expect(deployed.bursts).toHaveLength(4);
  await deployed.close();
});

it('runs failed inputs again, by their codes, and appended ones; and can itself be continued', async () => {
  const { fanfold, s3, close } = await connected();
  const run = await cancelled(fanfold, { compression: 'gzip' });
  const codes = await within(3_600, run.kept({ retryFailed: ['TimedOut'] }));
  expect(codes.ledger).toMatchObject({ inputs: 100, ok: 54, failed: 10, cancelled: 0 });
  const second = fanfold.map(tenth, numbers(100), { output: PLACE, resume: codes });
  expect((await within(3_600, second.wait())).ledger.failed).toBe(10);
  const again = await within(3_600, second.kept({ retryFailed: ['TaskFailed'] }));
  const third = fanfold.map(tenth, numbers(120), { output: 's3', resume: again });
  ran = [];
  const manifest = await within(3_600, third.wait());
  expect(ran.length).toBe(30);
  expect(manifest.ledger).toEqual({ inputs: 120, ok: 120, failed: 0, cancelled: 0 });
  expect(manifest).toMatchObject({ compression: 'gzip', continues: `${PLACE}${second.runId}/` });
  const folders = new Set(manifest.parts.map(({ folder }) => folder));
  expect(folders).toEqual(
    new Set([undefined, `${PLACE}${run.runId}/`, `${PLACE}${second.runId}/`]),
  );
  const results = await indexesOf(s3, manifest);
  expect(results.map(({ index }) => index)).toEqual(numbers(120));
  await close();
});

it('continues a run whose caller did not seed all inputs', async () => {
  const { fanfold, s3, manifest, close } = await connected();
  isHard = false;
  const endless = async function* () {
    yield* numbers(20);
    await new Promise(() => {});
  };
  const run = fanfold.map(tenth, endless(), { output: 's3' });
  await within(600, run.output);
  const goesOn = within(3_600, run.kept());
  await expect(goesOn).rejects.toEqual(isRefused('BadOption', /not over.*fanfold cancel/));
  run.leave();
  await within(
    60,
    run.detach().catch(() => {}),
  );
  await within(60, fanfold.cancel(run.runId));
  expect((await manifest(run.runId)).ledger).toMatchObject({ inputs: 20, ok: 20 });
  // It is over once its queue is deleted.
  const connection = (await within(60, fanfold.stored(`${PLACE}${run.runId}/`))) as typeof run;
  await within(600, connection.wait());
  const resume = await within(3_600, connection.kept());
  ran = [];
  const next = fanfold.map(tenth, numbers(50), { output: 's3', resume });
  const made = await within(3_600, next.wait());
  expect(made.ledger).toEqual({ inputs: 50, ok: 50, failed: 0, cancelled: 0 });
  expect(ran.length).toBe(30);
  expect((await indexesOf(s3, made)).map(({ index }) => index)).toEqual(numbers(50));
  await close();
});

it('merges the results of both runs, of an ordered run', async () => {
  const { fanfold, s3, close } = await connected();
  const run = await cancelled(fanfold, { compression: 'gzip' }, true);
  const resume = await within(3_600, run.kept({ retryFailed: true }));
  const next = fanfold.map(tenth, numbers(100), { output: PLACE, resume });
  const manifest = await within(3_600, next.wait());
  expect(manifest).toMatchObject({ ordered: true, parts: [{ key: 'results.jsonl.gz' }] });
  expect(manifest.parts[0]?.folder).toBeUndefined();
  const results = await resultsOf(s3, manifest);
  expect(results.map(({ index }) => index)).toEqual(numbers(100));
  await close();
});

it('keeps the columns of tables, and leaves each sorted table as it is', async () => {
  const { fanfold, s3, close } = await connected();
  const run = await cancelled(fanfold, { format: 'csv' }, true);
  const resume = await within(3_600, run.kept({ retryFailed: true }));
  const next = fanfold.map(tenth, numbers(100), { output: PLACE, resume });
  const manifest = await within(3_600, next.wait());
  const tables = manifest.parts.filter(({ kind }) => kind === 'results');
  expect(manifest.ordered).toBe(false);
  expect(tables.length).toBe(2);
  expect(tables.reduce((sum, { results }) => sum + results, 0)).toBe(100);
  const texts = tables.map(({ folder, key }) =>
    textOf(s3, `${(folder ?? manifest.folder).replace(`s3://${BUCKET}/`, '')}${key}`),
  );
  for (const text of await Promise.all(texts)) expect(text).toMatch(/^index,tenth\r\n\d/);
  await close();
});

it('continues a run over an object in S3, which must be the same', async () => {
  const { fanfold, s3, seed, close } = await connected();
  const Key = 'inputs/numbers.txt';
  const put = (text: string) =>
    s3.send(
      new PutObjectCommand({ Bucket: BUCKET, Key: Key.replace('.txt', '.jsonl'), Body: text }),
    );
  await put(numbers(100).join('\n'));
  const inputs = new S3Inputs(`s3://${BUCKET}/inputs/numbers.jsonl`);
  isHard = false;
  const before = fanfold.map(tenth, inputs, { output: 's3' });
  isHard = true;
  const settled = async () => (await fanfold.status(before.runId))?.ok ?? 0;
  while ((await within(60, settled())) < 54) {
    await within(60, new Promise((resolve) => setTimeout(resolve, 1_000)));
  }
  await within(60, before.cancel());
  expect((await within(3_600, before.wait())).ledger.cancelled).toBe(36);
  isHard = false;
  ran = [];
  const resume = await within(3_600, before.kept());
  expect(() => fanfold.map(tenth, numbers(100), { output: 's3', resume })).toThrow(
    isRefused('BadOption', /read its inputs from S3/),
  );
  const next = fanfold.map(tenth, inputs, { output: 's3', resume });
  const made = await within(3_600, next.wait());
  expect(made.ledger).toEqual({ inputs: 100, ok: 90, failed: 10, cancelled: 0 });
  expect(ran.length).toBe(36);
  expect((await indexesOf(s3, made)).map(({ index }) => index)).toEqual(numbers(100));
  await put(`${numbers(100).join('\n')}\n100`);
  const others = fanfold.map(tenth, inputs, { output: 's3', resume });
  await expect(within(60, others.output)).rejects.toEqual(
    isRefused('BadInput', /object has changed/),
  );
  // A bare invocation does it, too.
  const results = { s3: PLACE, continues: resume.folder, retryFailed: ['TaskFailed' as const] };
  await put(numbers(100).join('\n'));
  ran = [];
  const { runId } = await within(600, seed({ task: 'tenth', inputs: { s3: inputs.url }, results }));
  const run = await within(60, fanfold.stored(runId));
  expect((await within(3_600, run.wait())).ledger).toMatchObject({ inputs: 100, ok: 100 });
  expect(ran.length).toBe(46);
  await close();
});

it('refuses other inputs, another format, and a folder without a run', async () => {
  const { fanfold, close } = await connected();
  const run = await cancelled(fanfold);
  const resume = await within(3_600, run.kept());
  const cases: [inputs: number[], format: 'csv' | undefined, code: string, words: RegExp][] = [
    [[1, ...numbers(99)], undefined, 'BadInput', /first 100 inputs have changed/],
    [numbers(90), undefined, 'BadInput', /100 inputs, but got only 90/],
    [numbers(100), 'csv', 'BadOption', /format jsonl/],
  ];
  for (const [inputs, format, code, words] of cases) {
    const next = fanfold.map(tenth, inputs, { output: { s3: PLACE, format }, resume });
    await expect(within(600, next.detach())).rejects.toEqual(isRefused(code, words));
  }
  const nowhere = await within(60, fanfold.stored(`${PLACE}20261123T165514123-k3f9x2ab/`));
  await expect(within(3_600, nowhere.kept())).rejects.toEqual(
    isRefused('UnknownRun', /does not hold/),
  );
  await close();
});
