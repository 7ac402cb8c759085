import { createHash } from 'node:crypto';
import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { badValue, refusal } from './test-queue.ts';
import { inEveryWorld } from './worlds.ts';

const MAX = 1_048_576;

/** The digest of attributes as AWS documents it, written a second time. */
function md5Of(attributes: Record<string, MessageAttributeValue>): string {
  const digest = createHash('md5');
  const add = (bytes: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    digest.update(length).update(bytes);
  };
  for (const name of Object.keys(attributes).sort()) {
    const { DataType = '', StringValue, BinaryValue } = attributes[name] ?? {};
    add(Buffer.from(name));
    add(Buffer.from(DataType));
    digest.update(Uint8Array.of(BinaryValue ? 2 : 1));
    add(BinaryValue ?? Buffer.from(StringValue ?? ''));
  }
  return digest.digest('hex');
}

const text = (StringValue: string, DataType = 'String') => ({ DataType, StringValue });
const entries = (count: number, MessageBody = 'x') =>
  Array.from({ length: count }, (_, id) => ({ Id: `id_${id}`, MessageBody }));

inEveryWorld('Messages', (world) => {
  it('a body comes back exactly, with its MD5', async () => {
    const queue = await world.queue();
    const body = 'tab\t "quoted" \\ <a>&amp; line\n\r\u{1f600} \u007f \u2028 \ufffd é';
    const md5 = createHash('md5').update(body).digest('hex');
    const sent = await queue.send(body);
    const message = await queue.one();
    expect(message).toMatchObject({ MessageId: sent.MessageId, Body: body });
    expect(sent.MD5OfMessageBody).toBe(md5);
    expect(message.MD5OfBody).toBe(md5);
  });

  it('characters outside of XML are refused', async () => {
    const queue = await world.queue();
    for (const body of ['\u0000', '\u001f', 'a\u000bb', '\ufffe']) {
      expect(await refusal(queue.send(body))).toMatchObject({
        name: 'InvalidMessageContents',
        status: 400,
      });
    }
  });

  it('a message has at most 1,048,576 bytes, which is the default [L]', async () => {
    const queue = await world.queue();
    expect(await queue.attributes('MaximumMessageSize')).toEqual({
      MaximumMessageSize: String(MAX),
    });
    await queue.send('x'.repeat(MAX));
    expect(await refusal(queue.send('x'.repeat(MAX + 1)))).toEqual({
      name: 'InvalidParameterValue',
      message: `One or more parameters are invalid. Reason: Message must be shorter than ${MAX} bytes.`,
      status: 400,
    });
  });

  it('attributes count toward the size: names, types and values, in bytes of UTF-8 [L]', async () => {
    const queue = await world.queue({ MaximumMessageSize: '1024' });
    // 4 of the name, 6 of the type, 2 of the value.
    const MessageAttributes = { name: text('é') };
    await queue.send('x'.repeat(1012), { MessageAttributes });
    const { message } = await refusal(queue.send('x'.repeat(1013), { MessageAttributes }));
    expect(message).toContain('Message must be shorter than 1024 bytes.');
  });

  it('an oversize entry of a batch fails alone [L]', async () => {
    const queue = await world.queue({ MaximumMessageSize: '2048' });
    const { Successful, Failed } = await queue.batch([
      { Id: 'small', MessageBody: 'x'.repeat(2048) },
      { Id: 'large', MessageBody: 'x'.repeat(2049) },
      { Id: 'late', MessageBody: 'y', DelaySeconds: 901 },
    ]);
    expect(Successful?.map(({ Id }) => Id)).toEqual(['small']);
    expect(Failed).toEqual([
      {
        Id: 'large',
        Code: 'InvalidParameterValue',
        Message:
          'One or more parameters cannot be validated. Reason: Message must be shorter than 2048 bytes.',
        SenderFault: true,
      },
      expect.objectContaining({ Id: 'late', Code: 'InvalidParameterValue', SenderFault: true }),
    ]);
    expect(await queue.bodies()).toEqual(['x'.repeat(2048)]);
  });

  it('a batch over the total size fails as a whole [L]', async () => {
    const queue = await world.queue();
    const half = 'x'.repeat(MAX / 2);
    const batch = (more: string) =>
      queue.batch([
        { Id: 'one', MessageBody: half },
        { Id: 'two', MessageBody: half + more },
      ]);
    expect(await refusal(batch('x'))).toEqual({
      name: 'BatchRequestTooLong',
      message: `Batch requests cannot be longer than ${MAX} bytes. You have sent ${MAX + 1} bytes.`,
      status: 400,
    });
    expect((await batch('')).Successful).toHaveLength(2);
  });

  it('MD5OfMessageAttributes covers names, types and values, by name [D]', async () => {
    const queue = await world.queue();
    const MessageAttributes = {
      b: text('-1.5e3', 'Number'),
      'a.raw': { DataType: 'Binary.png', BinaryValue: Uint8Array.of(0, 255, 1) },
      Z: text('ü', 'String.mine'),
    };
    const sent = await queue.send('x', { MessageAttributes });
    expect(sent.MD5OfMessageAttributes).toBe(md5Of(MessageAttributes));
    const all = await queue.one({ MessageAttributeNames: ['All'], VisibilityTimeout: 0 });
    expect(all.MD5OfMessageAttributes).toBe(md5Of(MessageAttributes));
    expect(Object.keys(all.MessageAttributes ?? {}).sort()).toEqual(['Z', 'a.raw', 'b']);
    expect(all.MessageAttributes?.b).toMatchObject(MessageAttributes.b);
    const raw = all.MessageAttributes?.['a.raw'];
    expect([raw?.DataType, ...(raw?.BinaryValue ?? [])]).toEqual(['Binary.png', 0, 255, 1]);
  });

  it('on receive, MD5OfMessageAttributes covers the returned attributes [D]', async () => {
    const queue = await world.queue({ VisibilityTimeout: '0' });
    const given = { 'a.one': text('1'), 'a.two': text('2'), b: text('3') };
    await queue.send('x', { MessageAttributes: given });
    for (const [asked, names] of [
      [['b'], ['b']],
      [['a.*'], ['a.one', 'a.two']],
      [
        ['a.one', 'b', 'none'],
        ['a.one', 'b'],
      ],
      [['.*'], ['a.one', 'a.two', 'b']],
    ] as const) {
      const some = await queue.one({ MessageAttributeNames: [...asked] });
      expect(Object.keys(some.MessageAttributes ?? {}).sort()).toEqual(names);
      const chosen = names.map((name) => [name, given[name as 'b']] as const);
      expect(some.MD5OfMessageAttributes).toBe(md5Of(Object.fromEntries(chosen)));
    }
  });

  it('AWSTraceHeader has a separate digest, and does not count toward the size [D]', async () => {
    const queue = await world.queue({ MaximumMessageSize: '1024' });
    const MessageSystemAttributes = {
      AWSTraceHeader: text('Root=1-5759e988-bd862e3fe1be46a994272793'),
    };
    const sent = await queue.send('x'.repeat(1024), { MessageSystemAttributes });
    expect(sent.MD5OfMessageSystemAttributes).toBe(md5Of(MessageSystemAttributes));
    expect(sent.MD5OfMessageAttributes).toBeUndefined();
    const { Attributes, MD5OfMessageAttributes } = await queue.one();
    expect(Attributes?.AWSTraceHeader).toBe(MessageSystemAttributes.AWSTraceHeader.StringValue);
    expect(MD5OfMessageAttributes).toBeUndefined();
  });

  it('AWSTraceHeader is the only system attribute that can be sent', async () => {
    const queue = await world.queue();
    const MessageSystemAttributes = { SenderId: text('me') } as object;
    expect((await refusal(queue.send('x', { MessageSystemAttributes }))).status).toBe(400);
    const number = { MessageSystemAttributes: { AWSTraceHeader: text('1', 'Number') } };
    expect((await refusal(queue.send('x', number))).name).toBe('InvalidParameterValue');
  });

  it('StringListValues and BinaryListValues are not supported [P]', async () => {
    const queue = await world.queue();
    for (const value of [
      { DataType: 'String', StringListValues: ['a'] },
      { DataType: 'Binary', BinaryListValues: [Uint8Array.of(1)] },
    ]) {
      expect(await refusal(queue.send('x', { MessageAttributes: { value } }))).toMatchObject({
        name: 'UnsupportedOperation',
        status: 400,
      });
    }
  });

  it('an attribute has one of three types, a value, and a name of certain characters', async () => {
    const queue = await world.queue();
    const refused: [name: string, value: MessageAttributeValue][] = [
      ['a', { DataType: 'Text', StringValue: 'x' }],
      ['a', { DataType: '', StringValue: 'x' }],
      ['a', text('')],
      ['a', text('12 apples', 'Number')],
      ['a', text('1e127', 'Number')],
      ['a', text('1.1e126', 'Number')],
      ['a', text('-1e129', 'Number')],
      ['a', text('1e-129', 'Number')],
      ['a', text('1'.repeat(39), 'Number')],
      ['a', text(`0.${'1'.repeat(40)}`, 'Number')],
      ['a', text('.', 'Number')],
      ['a', text('x', 'String.\u0001')],
      ['a', { DataType: 'Binary', BinaryValue: new Uint8Array() }],
      ['a b', text('x')],
      ['.a', text('x')],
      ['a..b', text('x')],
      ['AWS.a', text('x')],
      ['amazon.a', text('x')],
      ['a'.repeat(257), text('x')],
    ];
    for (const [name, value] of refused) {
      const sent = refusal(queue.send('x', { MessageAttributes: { [name]: value } }));
      expect(await sent, `${name}: ${JSON.stringify(value)}`).toMatchObject({
        name: 'InvalidParameterValue',
      });
    }
    await queue.send('x', { MessageAttributes: { ['a'.repeat(256)]: text('-1e-3', 'Number.x') } });
    for (const number of [
      '1e126',
      '-9.9e125',
      '1e-128',
      '1'.repeat(38),
      '0',
      '000.500',
      '+.5',
      '7.',
    ]) {
      await queue.send('x', { MessageAttributes: { a: text(number, 'Number') } });
    }
  });

  it('a message has at most ten attributes', async () => {
    const queue = await world.queue();
    const of = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, text('x')]));
    await queue.send('x', { MessageAttributes: of(10) });
    const eleven = refusal(queue.send('x', { MessageAttributes: of(11) }));
    expect(await eleven).toMatchObject({ name: 'InvalidParameterValue' });
  });

  it('an unknown system attribute is ignored on receive [S]', async () => {
    const queue = await world.queue();
    await queue.send('x');
    const names: string[] = ['Nonsense', 'SentTimestamp'];
    const { Attributes } = await queue.one({ MessageSystemAttributeNames: names as 'All'[] });
    expect(Object.keys(Attributes ?? {})).toEqual(['SentTimestamp']);
  });

  it('an unknown attribute name is an error on GetQueueAttributes [P]', async () => {
    const queue = await world.queue();
    expect(await refusal(queue.attributes('Nonsense'))).toEqual({
      name: 'InvalidAttributeName',
      message: 'Unknown Attribute Nonsense.',
      status: 400,
    });
  });

  it('no attributes are returned if none are requested [P]', async () => {
    const queue = await world.queue();
    await queue.send('x', { MessageAttributes: { a: text('1') } });
    const message = await queue.one({ MessageSystemAttributeNames: [] });
    expect(message.Attributes).toBeUndefined();
    expect(message.MessageAttributes).toBeUndefined();
    expect(message.MD5OfMessageAttributes).toBeUndefined();
  });

  it('system attributes are requested by the new parameter or the old one', async () => {
    const queue = await world.queue({ VisibilityTimeout: '0' });
    const before = Date.now();
    await queue.send('x', { MessageGroupId: 'tenant-1' });
    const { Attributes: some } = await queue.one({
      MessageSystemAttributeNames: undefined,
      AttributeNames: ['All'],
    });
    expect(some).toEqual({
      ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      ApproximateReceiveCount: '1',
      MessageGroupId: 'tenant-1',
      SenderId: expect.any(String),
      SentTimestamp: expect.stringMatching(/^\d{13}$/),
    });
    // Its clock started before this one was faked, and counts its own milliseconds.
    if (world.isLocal) expect(Math.abs(Number(some?.SentTimestamp) - before)).toBeLessThan(1_000);
  });

  it('a batch must have one to ten entries', async () => {
    const queue = await world.queue();
    expect(await refusal(queue.batch([]))).toMatchObject({
      name: 'EmptyBatchRequest',
      status: 400,
    });
    expect(await refusal(queue.batch(entries(20)))).toEqual({
      name: 'TooManyEntriesInBatchRequest',
      message: 'Maximum number of entries per request are 10. You have sent 20.',
      status: 400,
    });
    expect((await refusal(queue.batch(entries(11)))).name).toBe('TooManyEntriesInBatchRequest');
    expect((await queue.batch(entries(10))).Successful).toHaveLength(10);
  });

  it('a batch’s ids are distinct: the first duplicate is named', async () => {
    const queue = await world.queue();
    const four = entries(4);
    const doubled = [...four.slice(0, 4), ...four.slice(2)];
    expect(await refusal(queue.batch(doubled))).toEqual({
      name: 'BatchEntryIdsNotDistinct',
      message: 'Id id_2 repeated.',
      status: 400,
    });
  });

  it('a batch’s ids are of certain characters', async () => {
    const queue = await world.queue();
    for (const Id of ['a b', 'a.b', 'é', 'a'.repeat(81)]) {
      expect(await refusal(queue.batch([{ Id, MessageBody: 'x' }]))).toEqual({
        name: 'InvalidBatchEntryId',
        message:
          'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
        status: 400,
      });
    }
    await queue.batch([{ Id: `-_aA0${'a'.repeat(75)}`, MessageBody: 'x' }]);
  });

  it('a batch answers each entry as a single send is answered', async () => {
    const queue = await world.queue();
    const MessageAttributes = { a: text('1') };
    const { Successful, Failed } = await queue.batch([
      { Id: 'one', MessageBody: 'one', MessageAttributes },
      { Id: 'two', MessageBody: 'two' },
    ]);
    expect(Failed ?? []).toEqual([]);
    expect(Successful).toEqual([
      {
        Id: 'one',
        MessageId: expect.any(String),
        MD5OfMessageBody: createHash('md5').update('one').digest('hex'),
        MD5OfMessageAttributes: md5Of(MessageAttributes),
      },
      {
        Id: 'two',
        MessageId: expect.any(String),
        MD5OfMessageBody: createHash('md5').update('two').digest('hex'),
      },
    ]);
  });

  it('a receive takes 1 to 10 messages, and waits 0 to 20 s', async () => {
    const queue = await world.queue();
    for (const value of [0, 11]) {
      expect(await refusal(queue.receive({ MaxNumberOfMessages: value }))).toEqual(
        badValue('MaxNumberOfMessages', value, 'Must be between 1 and 10, if provided.'),
      );
    }
    for (const value of [-1, 21]) {
      expect(await refusal(queue.receive({ WaitTimeSeconds: value }))).toEqual(
        badValue('WaitTimeSeconds', value, 'Must be >= 0 and <= 20, if provided.'),
      );
    }
    for (const value of [-1, 43_201]) {
      const { name } = await refusal(queue.receive({ VisibilityTimeout: value }));
      expect(name).toBe('InvalidParameterValue');
    }
  });

  it.runIf(world.isLocal)('a receive gives one message unless asked for more', async () => {
    const queue = await world.queue();
    await queue.batch(entries(10));
    expect(await queue.receive({ MaxNumberOfMessages: undefined })).toHaveLength(1);
    expect(await queue.receive({ MaxNumberOfMessages: 4 })).toHaveLength(4);
    expect(await queue.receive()).toHaveLength(5);
    expect(await queue.receive()).toEqual([]);
  });

  it('a message must have a body', async () => {
    const queue = await world.queue();
    for (const body of ['', undefined as unknown as string]) {
      expect(await refusal(queue.send(body))).toEqual({
        name: 'MissingParameter',
        message: 'The request must contain the parameter MessageBody.',
        status: 400,
      });
    }
  });

  it('a group’s id is of 1 to 128 certain characters', async () => {
    const queue = await world.queue();
    for (const MessageGroupId of ['a b', 'é', 'a'.repeat(129)]) {
      expect(await refusal(queue.send('x', { MessageGroupId }))).toEqual(
        badValue(
          'MessageGroupId',
          MessageGroupId,
          'MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.',
        ),
      );
    }
    await queue.send('x', { MessageGroupId: `!"#$%&'()*+,-./:;<=>?@[]^_\`{|}~${'a'.repeat(90)}` });
  });

  it('a MessageDeduplicationId on a standard queue is refused [P]', async () => {
    const queue = await world.queue();
    const sent = refusal(queue.send('x', { MessageDeduplicationId: 'a' }));
    expect(await sent).toMatchObject({ name: 'InvalidParameterValue', status: 400 });
  });

  it.runIf(world.isLocal)('a delay is the message’s own, or else its queue’s', async () => {
    const queue = await world.queue({ DelaySeconds: '10' });
    await queue.send('by queue');
    await queue.send('at once', { DelaySeconds: 0 });
    await queue.send('later', { DelaySeconds: 20 });
    expect(await queue.bodies()).toEqual(['at once']);
    await world.advance(9.9);
    expect(await queue.bodies()).toEqual([]);
    await world.advance(0.1);
    expect(await queue.bodies()).toEqual(['by queue']);
    await world.advance(10);
    expect(await queue.bodies()).toEqual(['later']);
    for (const DelaySeconds of [-1, 901]) {
      expect((await refusal(queue.send('x', { DelaySeconds }))).name).toBe('InvalidParameterValue');
    }
    await queue.send('x', { DelaySeconds: 900 });
  });

  it.runIf(world.isLocal)(
    'a message older than the retention is removed, in flight or not',
    async () => {
      const queue = await world.queue({ MessageRetentionPeriod: '60', VisibilityTimeout: '40' });
      await queue.send('in flight');
      const message = await queue.one();
      await world.advance(30);
      await queue.send('younger');
      await world.advance(31);
      expect(await queue.bodies()).toEqual(['younger']);
      await queue.delete(message);
      await world.advance(60);
      expect(queue.peek()).toEqual([]);
    },
  );
});
