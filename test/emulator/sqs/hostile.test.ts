import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createSqsClient, type SqsServer, serveSqs } from '../../../src/emulator/sqs/index.ts';

let server: SqsServer;
let QueueUrl: string;

beforeAll(async () => {
  server = await serveSqs({ requestTimeoutSeconds: 2 });
  const client = createSqsClient(server.sqs);
  ({ QueueUrl = '' } = await client.send(new CreateQueueCommand({ QueueName: 'others' })));
  QueueUrl = QueueUrl.replace('http://localhost', server.url);
  for (const MessageBody of ['one', 'two']) {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  }
});
afterAll(() => server.close());

/** The state that every test here must leave unchanged. */
const untouched = () => server.sqs.peek('others').map(({ body, state }) => `${body} ${state}`);
beforeEach(() => expect(untouched()).toEqual(['one visible', 'two visible']));

/** An error as AWS formats it, in one of its protocols, without a stack trace of ours. */
async function refusal(response: Response): Promise<{ status: number; code: string }> {
  const text = await response.text();
  expect(text).not.toMatch(/\n\s+at |\.ts:\d/);
  const code = /"__type":"([^"]+)"|<Code>([^<]+)<\/Code>|^<(\w+)\/>/.exec(text);
  expect(code, text).not.toBeNull();
  return { status: response.status, code: code?.[1] ?? code?.[2] ?? code?.[3] ?? '' };
}

const JSON_TYPE = 'application/x-amz-json-1.0';
const post = (body: string | Buffer, headers: Record<string, string> = {}, path = '/') =>
  fetch(`${server.url}${path}`, { method: 'POST', body: body as string, headers });
const action = (name: string, body: string | Buffer, type = JSON_TYPE) =>
  post(body, { 'content-type': type, 'x-amz-target': `AmazonSQS.${name}` });

describe('requests that no client sends', () => {
  it.each([
    ['nothing', ''],
    ['half an object', '{"QueueUrl":'],
    ['a list', '[]'],
    ['a number', '1'],
    ['null', 'null'],
    ['words', 'hello there'],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])],
    ['numbers for texts', '{"QueueUrl":1,"MessageBody":2}'],
    ['a list for a text', '{"QueueUrl":["x"]}'],
    ['its own prototype', '{"__proto__":{"QueueUrl":"x"},"constructor":1}'],
    ['a deep value', `{"QueueUrl":${'['.repeat(50_000)}${']'.repeat(50_000)}}`],
    ['another place’s URL', '{"QueueUrl":"file:///etc/passwd","MessageBody":"x"}'],
    ['a URL that is none', '{"QueueUrl":"oth:ers","MessageBody":"x"}'],
  ])('%s', async (_, body) => {
    for (const name of ['SendMessage', 'ReceiveMessage', 'DeleteQueue', 'Nonsense']) {
      const { status } = await refusal(await action(name, body));
      expect([400, 404]).toContain(status);
    }
  });

  it('XML-forbidden characters', async () => {
    const sent = await action('SendMessage', JSON.stringify({ QueueUrl, MessageBody: 'a\u0000b' }));
    expect(await refusal(sent)).toEqual({
      status: 400,
      code: 'com.amazonaws.sqs#InvalidMessageContents',
    });
  });

  it('wrong content types, methods and paths', async () => {
    for (const type of ['text/plain', 'application/json', 'multipart/form-data', 'x']) {
      expect((await refusal(await post('{"QueueUrl":"x"}', { 'content-type': type }))).status).toBe(
        404,
      );
    }
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status } = await refusal(await fetch(server.url, { method }));
      expect([400, 405]).toContain(status);
    }
    for (const path of [
      '/%',
      '/%00',
      '/000000000000/',
      '/a/b/c/d',
      '//',
      `/${'x'.repeat(5_000)}`,
    ]) {
      expect((await refusal(await post('', {}, path))).status).toBeLessThan(500);
    }
  });

  it('bodies over the limit, which get an error in their protocol, and are not kept', async () => {
    const body = Buffer.alloc(20 * 1024 * 1024, 'x');
    const json = await action('SendMessage', body);
    expect(json.headers.get('x-amzn-requestid')).not.toBeNull();
    expect(await refusal(json)).toEqual({
      status: 413,
      code: 'com.amazon.coral.service#RequestEntityTooLargeException',
    });
    const query = await post(body, { 'content-type': 'application/x-www-form-urlencoded' });
    expect(query.headers.get('content-type')).toBe('text/xml');
    expect(query.headers.get('x-amzn-requestid')).not.toBeNull();
    expect(await refusal(query)).toEqual({ status: 413, code: 'RequestEntityTooLarge' });
  });

  it('a Host header that is not valid in a URL', async () => {
    const body = 'Action=CreateQueue&QueueName=odd';
    const head = `POST / HTTP/1.1\r\nhost: a/b?c\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n`;
    const answer = await raw(head + body, { end: false });
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('<Code>InvalidAddress</Code>');
    expect(() => server.sqs.peek('odd')).toThrow('There is no queue');
  });

  it('a length without its body, which is refused at once', async () => {
    const began = performance.now();
    const head = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\nx';
    const answer = await raw(head, { end: false });
    expect(answer).toMatch(/^HTTP\/1\.1 413 .*<Code>RequestEntityTooLarge<\/Code>/s);
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it('any fault gets an error in the protocol, without Node’s text', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => {
      throw new TypeError('The clock stands still');
    });
    onTestFinished(() => {
      clock.mockRestore();
      warned.mockRestore();
    });
    const ask = (headers: Record<string, string>, body: string, path = '/') =>
      server.sqs.service({
        method: 'POST',
        path,
        query: new URLSearchParams(),
        headers,
        body,
        signal: new AbortController().signal,
      });
    const TEXT = 'We encountered an internal error. Please try again.';
    const json = await ask({ 'x-amz-target': 'AmazonSQS.ListQueues' }, '{}');
    expect(json).toMatchObject({
      status: 500,
      headers: { 'x-amzn-query-error': 'InternalFailure;Receiver' },
      body: JSON.stringify({ __type: 'com.amazon.coral.service#InternalFailure', message: TEXT }),
    });
    const query = await ask({}, 'Action=ListQueues');
    expect(query).toMatchObject({ status: 500, headers: { 'content-type': 'text/xml' } });
    expect(query.body).toContain(
      `<Type>Receiver</Type><Code>InternalFailure</Code><Message>${TEXT}</Message>`,
    );
    const headers = { 'smithy-protocol': 'rpc-v2-cbor' };
    const cbor = await ask(headers, '', '/service/AmazonSQS/operation/ListQueues');
    expect(cbor).toMatchObject({ status: 500, headers: { 'content-type': 'application/cbor' } });
    // The process warning has the full error.
    expect(warned).toHaveBeenCalledTimes(3);
    expect(warned.mock.lastCall?.[1]).toMatchObject({
      detail: expect.stringContaining('The clock stands still'),
    });
  });

  it('any parameters for any action', async () => {
    const { ACTIONS } = await import('../../../src/emulator/sqs/actions/index.ts');
    // Actions without a queue may succeed.
    const names = [...ACTIONS.keys()].filter((name) => !/^(List|CreateQueue)/.test(name));
    const keys = [
      'QueueUrl',
      'QueueName',
      'Entries',
      'MessageBody',
      'ReceiptHandle',
      'Attributes',
      'MessageAttributes',
      'AttributeNames',
      'Tags',
      'TagKeys',
      'Label',
      'Actions',
      'AWSAccountIds',
      'SourceArn',
      'TaskHandle',
      'DelaySeconds',
      'MaxNumberOfMessages',
      'WaitTimeSeconds',
    ];
    const value = fc.oneof(fc.jsonValue(), fc.constant(`${QueueUrl}-not`), fc.integer());
    const request = fc.tuple(
      fc.constantFrom(...names),
      fc.dictionary(fc.constantFrom(...keys), value),
    );
    await fc.assert(
      fc.asyncProperty(request, async ([name, parameters]) => {
        const { status } = await refusal(await action(name, JSON.stringify(parameters)));
        expect(status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
    expect(untouched()).toEqual(['one visible', 'two visible']);
  });
});

/** Sends raw bytes; returns the response until the server closed the connection. */
function raw(bytes: Uint8Array | string, { end = true } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, server.host);
    let text = '';
    socket.on('data', (data) => {
      text += data;
    });
    // The server may close before it has read everything, which counts as a response.
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
    socket.setTimeout(10_000, () => reject(new Error('The server neither answered nor closed.')));
    if (end) socket.end(bytes);
    else socket.write(bytes);
  });
}

describe('connections', () => {
  it('with random bytes are closed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), async (bytes) => {
        expect(await raw(bytes)).toMatch(/^$|^HTTP\/1\.1 4\d\d /);
      }),
      { numRuns: 200 },
    );
  });

  it('with random headers and bodies get AWS’s kind of error', async () => {
    const target = fc.oneof(fc.constant('AmazonSQS.SendMessage'), fc.string());
    const clean = (text: string) => text.replace(/[^ -~]/g, '');
    await fc.assert(
      fc.asyncProperty(target, fc.string(), fc.uint8Array(), async (name, type, body) => {
        const head = `POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-amz-target: ${clean(name)}\r\ncontent-type: ${clean(type)}\r\ncontent-length: ${body.length}\r\n\r\n`;
        const answer = await raw(Buffer.concat([Buffer.from(head), body]), { end: false });
        expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
        expect(answer).toMatch(/__type|<Code>/);
      }),
      { numRuns: 200 },
    );
  });

  it('that stop within a request are closed after a while', async () => {
    const half = [
      '',
      'POST / HT',
      'POST / HTTP/1.1\r\nhost: x\r\n',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"Queue',
    ];
    const answers = await Promise.all(half.map((bytes) => raw(bytes, { end: false })));
    for (const answer of answers) expect(answer).toMatch(/^$|^HTTP\/1\.1 408 .*RequestTimeout/s);
  });

  it('are all served, a thousand at once', async () => {
    const sockets: Socket[] = [];
    const opened = Array.from({ length: 1_000 }, () => {
      const socket = connect(server.port, server.host);
      sockets.push(socket);
      return new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve);
        socket.once('error', reject);
      });
    });
    await Promise.all(opened);
    const body = JSON.stringify({ QueueNamePrefix: 'oth' });
    const request = `POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AmazonSQS.ListQueues\r\ncontent-type: ${JSON_TYPE}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const answered = sockets.map(
      (socket) =>
        new Promise<string>((resolve) => {
          socket.once('data', (data) => resolve(String(data)));
          socket.write(request);
        }),
    );
    for (const answer of await Promise.all(answered)) expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    for (const socket of sockets) socket.destroy();
  });

  /** A receive as raw bytes for a connection. */
  function receive(parameters: object): string {
    const body = JSON.stringify(parameters);
    const head = `POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AmazonSQS.ReceiveMessage\r\ncontent-type: ${JSON_TYPE}\r\ncontent-length: ${body.length}`;
    return `${head}\r\n\r\n${body}`;
  }

  it('that are half-closed by their client are served', async () => {
    const client = createSqsClient(server.sqs);
    const made = await client.send(new CreateQueueCommand({ QueueName: 'half' }));
    await client.send(new SendMessageCommand({ QueueUrl: made.QueueUrl, MessageBody: 'whole' }));
    expect(await raw(receive({ QueueUrl: made.QueueUrl }))).toContain('"Body":"whole"');
  });

  it('that break while messages are sent lose none, nor their order', async () => {
    const client = createSqsClient(server.sqs);
    const made = await client.send(new CreateQueueCommand({ QueueName: 'ordered' }));
    const url = made.QueueUrl ?? '';
    for (let n = 0; n < 8; n++) {
      const MessageBody = `${n}${'x'.repeat(900_000)}`;
      await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody }));
    }
    const states = () => new Set(server.sqs.peek('ordered').map(({ state }) => state));
    const socket = connect(server.port, server.host);
    socket.pause();
    socket.write(receive({ QueueUrl: url, MaxNumberOfMessages: 10 }));
    await expect.poll(states).toEqual(new Set(['inFlight']));
    socket.resetAndDestroy();
    await expect.poll(states).toEqual(new Set(['visible']));
    const again = new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10 });
    const { Messages = [] } = await client.send(again);
    expect(Messages.map(({ Body }) => Body?.[0]).join('')).toBe('01234567');
  });

  it('that break while a receive waits lose no message', async () => {
    const client = createSqsClient(server.sqs);
    const made = await client.send(new CreateQueueCommand({ QueueName: 'broken' }));
    const url = made.QueueUrl ?? '';
    const socket = connect(server.port, server.host);
    socket.write(receive({ QueueUrl: url, WaitTimeSeconds: 20 }));
    // Requests are answered in order, so the receive waits by then.
    await post('');
    await post('');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.destroy();
    await closed;
    await client.send(
      new SendMessageCommand({ QueueUrl: url, MessageBody: randomBytes(8).toString('hex') }),
    );
    await expect
      .poll(() => server.sqs.peek('broken').map(({ state, receiveCount }) => [state, receiveCount]))
      .toEqual([['visible', 0]]);
  });
});
