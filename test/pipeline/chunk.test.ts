import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../src/local/sqs/index.ts';
import {
  type ChunkItem,
  chunkBody,
  chunkItemsFor,
  cut,
  MAX_INPUT_BYTES,
  MAX_MESSAGE_BYTES,
  messageText,
  readChunk,
} from '../../src/pipeline/messages/chunk.ts';

const envelope = {
  runId: '20261123T165514123-k3f9x2ab',
  task: 'echo',
  attempt: 1,
  expiresAt: 1_800_000_000_000,
  resultQueueUrl: `https://sqs.us-east-1.amazonaws.com/000000000000/${'x'.repeat(80)}`,
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
        const { items } = readChunk(Messages?.[0]?.Body ?? '');
        expect(items).toEqual(inputs.map((input, index) => [index, input]));
      }),
      { numRuns: 200 },
    );
  });

  it.each(['\ufffe', '\uffff', '\ud800', '\udfff\ud800', '\u0000\u001f', '\u2028', '"\\'])(
    'carry %j, which SQS or JSON takes offence at',
    async (input) => {
      const client = createSqsClient(new Sqs());
      const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'chunks' }));
      const MessageBody = chunkBody(envelope, itemsOf([input, { [input]: input }]));
      await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
      const { Messages } = await client.send(new ReceiveMessageCommand({ QueueUrl }));
      const { items } = readChunk(Messages?.[0]?.Body ?? '');
      expect(items).toEqual([
        [0, input],
        [1, { [input]: input }],
      ]);
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

  it('refuse an input that no message holds, and say which', () => {
    const fits = 'x'.repeat(MAX_INPUT_BYTES - 2 - 1 - 4);
    expect(cut(itemsOf([fits]), 1)).toHaveLength(1);
    expect(() => cut(itemsOf([`${fits}x`]), 1)).toThrow(/^Input 0 takes 1046529 bytes as JSON/);
  });

  it('are as large as the inputs and workers call for', () => {
    expect(chunkItemsFor(10, 2)).toBe(1);
    expect(chunkItemsFor(1_000_000, 2)).toBe(1_000);
    expect(chunkItemsFor(6_400, 2)).toBe(100);
    expect(chunkItemsFor(0, 8)).toBe(1);
    // A worker that runs ten at once needs ten, but not what others could run.
    expect(chunkItemsFor(10, 2, 10)).toBe(5);
    expect(chunkItemsFor(1_000, 2, 10)).toBe(40);
    expect(chunkItemsFor(1_000_000, 2, 10)).toBe(1_000);
  });

  it('are told from what is none', () => {
    expect(() => readChunk('nonsense')).toThrow('this one is not JSON');
    expect(() => readChunk('{"v":2}')).toThrow('this one is of version 2');
    expect(() => readChunk('{"v":1,"runId":"x"}')).toThrow('a field of this one is missing');
    expect(() => readChunk('null')).toThrow('A task message of version 1 was expected');
  });
});
