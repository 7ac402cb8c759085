import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import {
  type ChunkItem,
  chunkBody,
  chunkItemsFor,
  cut,
  MAX_INPUT_BYTES,
  MAX_MESSAGE_BYTES,
  messageText,
  type ReceivedItem,
} from '../../../src/pipeline/messages/chunk.ts';
import { readChunk } from '../../../src/pipeline/messages/read-chunk.ts';

const envelope = {
  runId: '20261123T165514123-k3f9x2ab',
  task: 'echo',
  attempt: 1,
  expiresAt: Date.UTC(2026, 10, 24),
  results: 'own' as const,
  workers: 100_000,
};
const reader = {
  taskQueueUrl: 'https://sqs.us-east-1.amazonaws.com/123456789012/Photos-tasks',
  now: Date.UTC(2026, 10, 23, 17),
};
const itemsOf = (inputs: readonly unknown[]): ChunkItem[] =>
  inputs.map((input, index) => ({ index, text: messageText(JSON.stringify(input)) }));

describe('chunks', () => {
  it('carry any JSON value through a real SQS client, unchanged', async () => {
    const client = createSqsClient(new Sqs());
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'chunks' }));
    const anyString = fc.string({ unit: 'binary' });
    const value = fc.jsonValue({ noUnicodeString: false, depthSize: 'medium' } as object);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(value, anyString), { minLength: 1 }), async (given) => {
        const inputs = JSON.parse(JSON.stringify(given)) as unknown[];
        const MessageBody = chunkBody(envelope, itemsOf(inputs));
        await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
        const { Messages } = await client.send(
          new ReceiveMessageCommand({ QueueUrl, VisibilityTimeout: 3600 }),
        );
        const { items } = readChunk(Messages?.[0]?.Body ?? '', reader);
        expect(items).toMatchObject(itemsOf(inputs));
      }),
      { numRuns: 200 },
    );
  });

  it.each(['\ufffe', '\uffff', '\ud800', '\udfff\ud800', '\u0000\u001f', '\u2028', '"\\'])(
    'carry %j, which SQS or JSON does not accept directly',
    async (input) => {
      const client = createSqsClient(new Sqs());
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'chunks' }));
      const MessageBody = chunkBody(envelope, itemsOf([input, { [input]: input }]));
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
      const { items } = readChunk(Messages?.[0]?.Body ?? '', reader);
      expect(items.map(({ text }) => JSON.parse(text))).toEqual([input, { [input]: input }]);
    },
  );

  it('never exceed a message, keep every item in order, and are cut the same each time', () => {
    const size = fc.oneof(
      fc.integer({ min: 0, max: 200 }),
      fc.integer({ min: 100_000, max: 140_000 }),
      fc.integer({ min: MAX_INPUT_BYTES - 40, max: MAX_INPUT_BYTES - 30 }),
    );
    fc.assert(
      fc.property(
        fc.array(size, { maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('x', 'é', '\u{1f600}', '"'),
        (sizes, maxItems, letter) => {
          const bytes = Buffer.byteLength(JSON.stringify(letter)) - 2;
          const items = itemsOf(sizes.map((n) => letter.repeat(Math.floor(n / bytes))));
          const chunks = cut(items, maxItems);
          expect(chunks.flat()).toEqual(items);
          expect(cut(items, maxItems)).toEqual(chunks);
          for (const chunk of chunks) {
            expect(chunk.length).toBeGreaterThan(0);
            expect(chunk.length).toBeLessThanOrEqual(maxItems);
            expect(Buffer.byteLength(chunkBody(envelope, chunk))).toBeLessThanOrEqual(
              MAX_MESSAGE_BYTES,
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuse an input that no message can hold, and name it', () => {
    const fits = 'x'.repeat(MAX_INPUT_BYTES - 2 - 1 - 4);
    expect(cut(itemsOf([fits]), 1)).toHaveLength(1);
    expect(() => cut(itemsOf([`${fits}x`]), 1)).toThrow(/^Input 0 has 1046529 bytes as JSON/);
  });

  it('have a size that fits the inputs and workers', () => {
    expect(chunkItemsFor(10, 2)).toBe(1);
    expect(chunkItemsFor(1_000_000, 2)).toBe(1_000);
    expect(chunkItemsFor(6_400, 2)).toBe(100);
    expect(chunkItemsFor(0, 8)).toBe(1);
    // A worker that runs ten at once needs ten, but not what others could run.
    expect(chunkItemsFor(10, 2, 10)).toBe(5);
    expect(chunkItemsFor(1_000, 2, 10)).toBe(40);
    expect(chunkItemsFor(1_000_000, 2, 10)).toBe(1_000);
  });
});

describe('a task message', () => {
  const { pathname: path } = new URL(reader.taskQueueUrl.replace('-tasks', '-results'));
  const own = `https://sqs.us-east-1.amazonaws.com${path.replace('results', `run-${envelope.runId}`)}`;
  const whole = { v: 2, ...envelope, items: [[0, 'x']] };
  const first = { ...whole, v: 1, results: undefined };
  const read = (message: object) => readChunk(JSON.stringify(message), reader);

  it('names no queue: the reader knows those of its deployment', () => {
    expect(read(whole).resultQueueUrl).toBe(own);
    expect(read({ ...whole, results: 'shared' }).resultQueueUrl).toMatch(
      /com\/\d+\/Photos-results$/,
    );
    // A field of version 1 is ignored.
    expect(read({ ...whole, resultQueueUrl: 'https://evil/1/x' }).resultQueueUrl).toBe(own);
  });

  it('of version 1 is read if its queue belongs to the deployment', () => {
    expect(read({ ...first, resultQueueUrl: own })).toMatchObject({
      results: 'own',
      resultQueueUrl: own,
    });
    const shared = `https://sqs.us-east-1.amazonaws.com${path}`;
    expect(read({ ...first, resultQueueUrl: shared })).toMatchObject({ results: 'shared' });
  });

  it('of version 1 is read if its queue has another address of the same server', () => {
    const server = {
      taskQueueUrl: 'http://127.0.0.1:9324/000000000000/fanfold-tasks',
      onServer: true,
      now: reader.now,
    };
    const at = (resultQueueUrl: string) =>
      readChunk(JSON.stringify({ ...first, resultQueueUrl }), server).resultQueueUrl;
    const derived = 'http://127.0.0.1:9324/000000000000/fanfold-results';
    expect(at('https://192.0.2.2:9324/000000000000/fanfold-results')).toBe(derived);
    for (const path of ['1/fanfold-results', '000000000000/other-results', 'fanfold-results']) {
      expect(() => at(`https://192.0.2.2:9324/${path}`)).toThrow('a queue of this deployment');
    }
  });

  it.each([
    ['another host', `https://evil.example${path}`],
    ['another host and account', 'https://evil.example/1/Photos-results'],
    ['another port', `https://sqs.us-east-1.amazonaws.com:8443${path}`],
    ['no TLS', `http://sqs.us-east-1.amazonaws.com${path}`],
    ['another account', 'https://sqs.us-east-1.amazonaws.com/210987654321/Photos-results'],
    ['a user', `https://x@sqs.us-east-1.amazonaws.com${path}`],
    ['a query', `https://sqs.us-east-1.amazonaws.com${path}?x`],
    ['another deployment', 'https://sqs.us-east-1.amazonaws.com/123456789012/Other-results'],
    ['another run', own.replace('k3f9x2ab', 'k3f9x2ac')],
    ['the task queue', reader.taskQueueUrl],
    ['a name', 'Photos-results'],
    ['nothing', ''],
  ])('of version 1 with a result queue of %s is refused', (_, resultQueueUrl) => {
    expect(() => read({ ...first, resultQueueUrl })).toThrow('a queue of this deployment');
  });

  it('of a run that began later than now is read on a server, whose clock may be set back', () => {
    const server = { ...reader, onServer: true };
    const at = (runId: string) => readChunk(JSON.stringify({ ...whole, runId }), server).runId;
    expect(at('20261125T165514123-k3f9x2ab')).toBe('20261125T165514123-k3f9x2ab');
    expect(() => at('20991123T165514123-k3f9x2ab')).toThrow('is in the future');
  });

  const DAY = 86_400_000;
  const [born, now] = [Date.UTC(2026, 10, 23, 16, 55, 14, 123), reader.now];
  it.each([
    ['of no version', { v: undefined }, 'of version 1 or 2'],
    ['of a later version', { v: 3 }, 'of version 1 or 2'],
    ['of no run', { runId: undefined }, 'runId'],
    ['of a run id that reaches another queue', { runId: '../other' }, 'runId'],
    ['of a run id without its time', { runId: 'mine' }, 'starts with a time'],
    ['of a run of the year 2099', { runId: '20991123T165514123-k3f9x2ab' }, 'is in the future'],
    ['of a run that begins in six minutes', { runId: '20261123T170600000-k3f9x2ab' }, 'future'],
    ['of no task', { task: 7 }, 'task'],
    ['without an end', { expiresAt: 1e18 }, '13 days'],
    ['with an end that is no number', { expiresAt: '2026' }, '13 days'],
    ['that outlives the longest deadline', { expiresAt: born + 13 * DAY + 1 }, '13 days'],
    ['with no attempt', { attempt: 0 }, 'attempt'],
    ['with endless attempts', { attempt: -1e15 }, 'attempt'],
    ['with results for nobody', { results: 'theirs' }, 'results'],
    ['with no workers', { workers: 0 }, 'workers'],
    ['with an index beyond any run', { items: [[4_294_967_294, 1]] }, 'items'],
    ['with an index below 0', { items: [[-1, 1]] }, 'items'],
    ['with an item that is no pair', { items: [[1]] }, 'items'],
    ['without items', { items: undefined }, 'items'],
    ['handed on in the future', { stalled: stall({ since: 1e15, last: 1e15 }) }, 'stalled'],
    ['handed on first in the future', { stalled: stall({ since: now + 900_000 }) }, 'stalled'],
    ['handed on for no cause', { stalled: stall({ cause: 'whim' }) }, 'stalled'],
    ['handed on never', { stalled: stall({ hops: 0 }) }, 'stalled'],
  ])('%s is refused', (_, fields, sentence) => {
    expect(() => read({ ...whole, ...fields })).toThrow(sentence);
    expect(() => read({ ...whole, ...fields })).toThrow(
      expect.objectContaining({ code: 'BadMessage' }),
    );
  });

  it.each([
    ['of a run that began four minutes from now', { runId: '20261123T170400000-k3f9x2ab' }],
    ['that expires after 13 days', { expiresAt: born + 13 * DAY }],
    ['that has expired', { expiresAt: born + 1 }],
    ['without a number of workers', { workers: undefined }],
    [
      'handed on by a worker with a clock four minutes ahead',
      { stalled: stall({ last: now + 240_000 }) },
    ],
    [
      'handed on by a worker with a clock behind',
      { stalled: stall({ since: now, last: now - 1 }) },
    ],
    ['of a bare run', { runId: 'mine', results: 'shared', expiresAt: now + 13 * DAY }],
  ])('%s is read', (_, fields) => {
    expect(read({ ...whole, ...fields })).toMatchObject({ items: [{ index: 0, text: '"x"' }] });
  });

  it('is refused or read as what is written, wherever a real one was changed', () => {
    const piece = fc.constantFrom(...'\n"\\{}[],:09-. ', ',\n', '],\n[', '[0,1]', '],[2,3');
    const edits = fc.array(fc.tuple(fc.nat(), fc.nat(8), piece), { minLength: 1, maxLength: 3 });
    const inputs = fc.array(fc.jsonValue(), { minLength: 1, maxLength: 4 });
    let taken = 0;
    fc.assert(
      fc.property(inputs, edits, (given, changes) => {
        let body = chunkBody(envelope, itemsOf(JSON.parse(JSON.stringify(given)) as unknown[]));
        for (const [place, length, text] of changes) {
          const at = place % body.length;
          body = body.slice(0, at) + text + body.slice(at + length);
        }
        let items: ReceivedItem[];
        try {
          items = readChunk(body, reader).items;
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'BadMessage' });
          return;
        }
        taken++;
        const pairs = (JSON.parse(body) as { items: [number, unknown][] }).items;
        expect(items.map(({ index, value }) => [index, value])).toEqual(pairs);
        const texts = items.map(
          ({ index, text }) => `[${index},${JSON.stringify(JSON.parse(text))}]`,
        );
        expect(`[${texts.join()}]`).toBe(JSON.stringify(pairs));
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(10);
  });

  it.each(['nonsense', '', 'null', '7', '[]', '"x"', '{}'])(
    '%s is refused as unreadable',
    (body) => {
      expect(() => readChunk(body, reader)).toThrow('Expected a task message');
    },
  );

  function stall(fields: object) {
    return { cause: 'worker', since: now - 60_000, last: now, hops: 1, ...fields };
  }
});
