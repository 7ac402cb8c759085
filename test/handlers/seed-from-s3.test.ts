import { InvokeCommand } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  PutObjectCommand,
  S3Client,
  type S3ServiceException,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, ListQueueTagsCommand } from '@aws-sdk/client-sqs';
import { type FauxqsServer, startFauxqs } from 'fauxqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLambdaClient, Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { s3Inputs, seedHandler, workerHandler } from '../../src/handlers.ts';
import { defineTask, S3Inputs } from '../../src/index.ts';
import { Run } from '../../src/pipeline/collecting/run.ts';
import { readChunk } from '../../src/pipeline/messages/read-chunk.ts';
import type { SeedResponse } from '../../src/pipeline/messages/seed-response.ts';
import { namesOf, newRunId } from '../../src/pipeline/names.ts';

const same = defineTask({ name: 'same', run: (input: unknown) => input });
const names = namesOf('Photos');

let server: FauxqsServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startFauxqs({ port: 0, logger: false, host: '127.0.0.1' });
  s3 = clientAt(server.port);
  await s3.send(new CreateBucketCommand({ Bucket: 'inputs' }));
});
afterAll(async () => {
  s3.destroy();
  await server.stop();
});

function clientAt(port: number): S3Client {
  return new S3Client({
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'k', secretAccessKey: 's' },
  });
}

async function put(Key: string, Body: string | Buffer): Promise<string> {
  await s3.send(new PutObjectCommand({ Bucket: 'inputs', Key, Body }));
  return `s3://inputs/${Key}`;
}

/** A deployment whose seed has this time per invocation, optionally with workers. */
async function deploy({ timeoutSeconds = 900, workers = 0, client = s3 } = {}) {
  const sqs = new Sqs();
  const sqsClient = createSqsClient(sqs);
  const lambda = new Lambda();
  const lambdaClient = createLambdaClient(lambda);
  const urls: string[] = [];
  for (const QueueName of [names.tasks, names.dead, names.results]) {
    const { QueueUrl = '' } = await sqsClient.send(
      new CreateQueueCommand({ QueueName, Attributes: { VisibilityTimeout: '900' } }),
    );
    urls.push(QueueUrl);
  }
  const options = { sqs: sqsClient, lambda: lambdaClient, name: names.name };
  let invocations = 0;
  const seed = seedHandler({ same }, { ...options, s3: s3Inputs(client) });
  lambda.addFunction(
    names.seed,
    (event, context) => {
      invocations++;
      return seed(event, context);
    },
    { timeoutSeconds },
  );
  if (workers > 0) {
    lambda.addFunction(names.worker, workerHandler({ same }, options), { timeoutSeconds: 900 });
    lambda.addSqsEventSource(names.worker, {
      ...{ sqs: sqsClient, queueUrl: urls[0] ?? '', batchSize: 1, maxConcurrency: workers },
      reportBatchItemFailures: true,
    });
  }
  const chunks = () =>
    sqs
      .peek(names.tasks)
      .map(({ body }) =>
        readChunk(body, {
          taskQueueUrl: `http://localhost/000000000000/${names.tasks}`,
          now: Date.now(),
        }),
      )
      .sort((one, other) => (one.items[0]?.index ?? 0) - (other.items[0]?.index ?? 0));
  return {
    sqs,
    sqsClient,
    deployment: { sqs: sqsClient, lambda: lambdaClient, names },
    chunks,
    inputs: () =>
      chunks().flatMap(({ items }) => items.map(({ index, text }) => [index, JSON.parse(text)])),
    invocations: () => invocations,
    async seed(request: object): Promise<SeedResponse & { error?: { message: string } }> {
      const { Payload } = await lambdaClient.send(
        new InvokeCommand({ FunctionName: names.seed, Payload: JSON.stringify(request) }),
      );
      return JSON.parse(Payload?.transformToString() ?? '');
    },
    async [Symbol.asyncDispose]() {
      await lambda.close();
      await sqs.close();
    },
  };
}

const numbered = (values: readonly unknown[]) => values.map((value, index) => [index, value]);

describe('an object in S3', () => {
  it.each([
    ['a.jsonl', '{"a":1}\r\n\n"b"\nnull', undefined, [{ a: 1 }, 'b', null]],
    ['a.ndjson', '\ufeff1\n2\n', undefined, [1, 2]],
    [
      'a.csv',
      'a,b\n1,"x\ny"\n2,\n',
      undefined,
      [
        { a: '1', b: 'x\ny' },
        { a: '2', b: '' },
      ],
    ],
    ['a.txt', 'one\n\ntwo', undefined, ['one', '', 'two']],
    ['anything', '1\n2', 'text', ['1', '2']],
    ['empty.jsonl', '', undefined, []],
    ['a folder/ü &+%.jsonl', '7', undefined, [7]],
  ])('is read by its format: %s', async (key, body, format, inputs) => {
    await using place = await deploy();
    const url = await put(key, body);
    const request = { task: 'same', inputs: { s3: url, ...(format ? { format } : {}) } };
    const answer = await place.seed({ ...request, results: 'own', runId: newRunId() });
    expect(answer).toMatchObject({ task: 'same', first: 0, count: inputs.length });
    expect(place.inputs()).toEqual(numbered(inputs));
    const { Tags } = await place.sqsClient.send(
      new ListQueueTagsCommand({ QueueUrl: answer.resultQueueUrl }),
    );
    const bound = String(Buffer.byteLength(body));
    expect(Tags).toMatchObject({ state: 'sealed', total: String(inputs.length), bound });
    expect(Number(bound)).toBeGreaterThanOrEqual(inputs.length);
  });

  it('is continued by further invocations, with the same cuts as by one', async () => {
    const rows = Array.from({ length: 60_000 }, (_, n) => `${n},"line one of ${n}\nline, two"`);
    const url = await put('large.csv', `id,text\n${rows.join('\n')}\n`);
    const request = { task: 'same', inputs: { s3: url }, results: 'own', runId: newRunId() };
    await using atOnce = await deploy();
    await atOnce.seed(request);
    expect(atOnce.invocations()).toBe(1);
    // The time is never enough for a second page.
    await using inParts = await deploy({ timeoutSeconds: 25 });
    const answer = await inParts.seed(request);
    expect(answer).toMatchObject({ continues: true });
    expect(answer.count).toBeLessThan(60_000);
    const sealed = async () => {
      const { Tags } = await inParts.sqsClient.send(
        new ListQueueTagsCommand({ QueueUrl: answer.resultQueueUrl }),
      );
      return Tags?.total;
    };
    await expect.poll(sealed, { timeout: 20_000 }).toBe('60000');
    expect(inParts.invocations()).toBeGreaterThanOrEqual(3);
    expect(inParts.inputs()).toEqual(atOnce.inputs());
    const cuts = (place: typeof atOnce) => place.chunks().map(({ items }) => items.length);
    // The end of a page, and so of a chunk, depends on how the object's data arrives.
    expect(Math.max(...cuts(inParts))).toBe(Math.max(...cuts(atOnce)));
  });

  it('whose seed dies midway leaves a run that fails with the reason at its deadline', async () => {
    const lines = Array.from({ length: 60_000 }, (_, n) => `${n}`);
    const url = await put('dying.jsonl', lines.join('\n'));
    let gets = 0;
    const dying = clientAt(server.port);
    dying.middlewareStack.add(
      (next) => async (call) => {
        if (++gets > 1) throw Object.assign(new Error('away'), { name: 'InternalError' });
        return next(call);
      },
      { step: 'initialize' },
    );
    await using place = await deploy({ workers: 2, timeoutSeconds: 25, client: dying });
    const run = new Run(place.deployment, 'same', new S3Inputs(url), { deadlineSeconds: 5 });
    let count = 0;
    const taking = (async () => {
      for await (const result of run) if (result.status === 'ok') count++;
    })();
    await expect(taking).rejects.toThrow(
      'reached its deadline before all of its inputs were seeded',
    );
    expect(count).toBeGreaterThan(1_000);
    expect(run.ledger.ok).toBe(count);
  });

  it('is mapped by a run that yields each result once', async () => {
    await using place = await deploy({ workers: 3, timeoutSeconds: 25 });
    const lines = Array.from({ length: 45_000 }, (_, n) => JSON.stringify({ n }));
    const url = await put('mapped.jsonl', lines.join('\n'));
    const run = new Run<{ n: number }>(place.deployment, 'same', new S3Inputs(url));
    const seen = new Map<number, unknown>();
    for await (const result of run) {
      expect(seen.has(result.index)).toBe(false);
      seen.set(result.index, result.status === 'ok' ? result.output.n : result);
    }
    expect(run.ledger).toMatchObject({ inputs: 45_000, ok: 45_000, sealed: true });
    for (const [index, n] of seen) expect(n).toBe(index);
    expect(place.invocations()).toBeGreaterThan(1);
  });
});

describe('an object that can’t be read', () => {
  const uneven = 'a,b\n1,2\n3\n';
  it.each([
    ['s3://inputs/none.jsonl', 's3://inputs/none.jsonl cannot be read: there is no such object.'],
    ['s3://nowhere/a.jsonl', 's3://nowhere/a.jsonl cannot be read: there is no such bucket.'],
    [
      's3://inputs/a.parquet',
      'its extension does not name a known format. Known extensions: .jsonl',
    ],
  ])('is named in the error: %s', async (url, sentence) => {
    await using place = await deploy();
    for (const results of ['own', 'shared']) {
      const request = { task: 'same', inputs: { s3: url }, results, runId: newRunId() };
      expect((await place.seed(request)).error?.message).toContain(sentence);
    }
    expect(place.chunks()).toEqual([]);
  });

  it.each([
    ['bad.jsonl', '1\n{oops\n', 's3://inputs/bad.jsonl, line 2: the input is not JSON'],
    ['bad.csv', uneven, 's3://inputs/bad.csv, line 3: the row has 1 field, the header names 2'],
    ['latin1.txt', Buffer.from('ok\n\xff\n', 'latin1'), 's3://inputs/latin1.txt, line 2'],
    ['secret.jsonl', '{"oops": oops}\n', 'line 1: the input is not JSON'],
    ['begun.jsonl', '{"oops": "oops\n', 'line 1: the input is not JSON'],
    ['secret.csv', 'oops,oops\n1,2\n', 'line 1: fields 1 and 2 of the header'],
    ['quoted.csv', 'a\n"oops"oops\n', 'line 2: this is not CSV'],
  ])(
    'has its line named but not quoted, and nothing is seeded: %s',
    async (key, body, sentence) => {
      await using place = await deploy();
      const url = await put(key, body);
      const runId = newRunId();
      const request = { task: 'same', inputs: { s3: url }, results: 'own', runId };
      const { error } = await place.seed(request);
      expect(error?.message).toContain(sentence);
      expect(error?.message).not.toContain('oops');
      expect(place.chunks()).toEqual([]);
      expect(() => place.sqs.peek(names.run(runId))).toThrow();
    },
  );

  it.each([
    [{ s3: 'inputs/a.jsonl' }, 'like {"s3": "s3://bucket/key"'],
    [{ s3: 's3://bucket' }, 'like {"s3": "s3://bucket/key"'],
    [{ s3: 's3://inputs/a', format: 'xml' }, 'a format of jsonl, csv, text'],
    [{ s3: 's3://inputs/a.csv', from: { byte: -1 } }, 'like {"s3": "s3://bucket/key"'],
    [{ s3: 's3://inputs/a.csv', more: 1 }, 'like {"s3": "s3://bucket/key"'],
  ])('is not requested: %j', async (inputs, sentence) => {
    await using place = await deploy();
    expect((await place.seed({ task: 'same', inputs })).error?.message).toContain(sentence);
  });

  it('reports how many inputs were seeded, if results are shared', async () => {
    await using place = await deploy();
    const lines = Array.from({ length: 30_000 }, (_, n) => `${n}`);
    const url = await put('late.jsonl', `${lines.join('\n')}\noops\n`);
    const { error } = await place.seed({ task: 'same', inputs: { s3: url } });
    expect(error?.message).toMatch(
      /^s3:\/\/inputs\/late\.jsonl, line 30001: the input is not JSON.*Seeded before it: \d+ inputs?\.$/s,
    );
  });

  it('is refused again on a retry, which loses nothing of the first try', async () => {
    await using place = await deploy();
    const lines = Array.from({ length: 30_000 }, (_, n) => `${n}`);
    const url = await put('again.jsonl', lines.join('\n'));
    const request = { task: 'same', inputs: { s3: url }, results: 'own', runId: newRunId() };
    expect((await place.seed(request)).count).toBe(30_000);
    await put('again.jsonl', `${lines.join('\n')}\noops`);
    for (const _ of [1, 2]) {
      expect((await place.seed(request)).error?.message).toContain('line 30001: the input is not');
    }
    const said = place.sqs.peek(names.run(request.runId)).map(({ body }) => body);
    expect(said.filter((body) => !body.includes('"sealed"'))).toEqual([]);
  });

  it('ends a run in progress, and names the line', async () => {
    await using place = await deploy({ workers: 2, timeoutSeconds: 25 });
    const lines = Array.from({ length: 50_000 }, (_, n) => `${n}`);
    const url = await put('later.jsonl', `${lines.join('\n')}\n{oops\n`);
    const run = new Run(place.deployment, 'same', new S3Inputs(url));
    await expect(Array.fromAsync(run)).rejects.toThrow(
      's3://inputs/later.jsonl, line 50001: the input is not JSON',
    );
    expect(place.invocations()).toBeGreaterThan(1);
    await run.ended;
    expect(() => place.sqs.peek(names.run(run.runId))).toThrow();
  });

  it('has changed since the first read', async () => {
    const body = Array.from({ length: 50_000 }, (_, n) => `${n}`).join('\n');
    const url = await put('changed.jsonl', body);
    await using place = await deploy({ workers: 2, timeoutSeconds: 25 });
    let sent = 0;
    s3.middlewareStack.add(
      (next) => async (call) => {
        if (call.input && 'Key' in call.input && call.input.Key === 'changed.jsonl' && sent++ === 1)
          await put('changed.jsonl', `0\n${body}`);
        return next(call);
      },
      { step: 'initialize', name: 'changes' },
    );
    const run = new Run(place.deployment, 'same', new S3Inputs(url));
    const ended = Array.fromAsync(run).finally(() => s3.middlewareStack.remove('changes'));
    await expect(ended).rejects.toThrow(`${url} cannot be read: it changed while`);
  });

  it('is denied', async () => {
    const denied = clientAt(server.port);
    denied.middlewareStack.add(
      () => async () => {
        const error: Partial<S3ServiceException> = Object.assign(new Error('Access Denied'), {
          name: 'AccessDenied',
          $metadata: { httpStatusCode: 403 },
        });
        throw error;
      },
      { step: 'initialize' },
    );
    await using place = await deploy({ client: denied });
    const { error } = await place.seed({ task: 'same', inputs: { s3: 's3://inputs/a.jsonl' } });
    expect(error?.message).toContain('s3://inputs/a.jsonl cannot be read: access is denied.');
  });
});
