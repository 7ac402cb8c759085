import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Signer } from '../../../src/emulator/auth/index.ts';
import { Lambda } from '../../../src/emulator/lambda/index.ts';
import { type SqsServer, serveSqs } from '../../../src/emulator/sqs/index.ts';
import { type Listening, listen, normalPath } from '../../../src/emulator/transport/index.ts';

const KEY = { accessKeyId: 'AKIDHTTP', secretAccessKey: 'secret' };
const MIB = 1024 * 1024;

let server: SqsServer;
let lambda: Listening;
beforeAll(async () => {
  server = await serveSqs({ credentials: [KEY] });
  const functions = new Lambda();
  functions.addFunction('f', async (event) => event);
  lambda = await listen(functions.signedService([KEY]));
});
afterAll(async () => {
  await server.close();
  await lambda.close();
});

type Headers = Record<string, string>;

const JSON_HEADERS: Headers = {
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-target': 'AmazonSQS.ListQueues',
};

async function signed(body: string, to: Listening = server, path = '/', service = 'sqs') {
  const signer = new Signer({ credentials: KEY, region: 'us-east-1', service });
  const headers: Headers = { ...JSON_HEADERS, host: `${to.host}:${to.port}` };
  await signer.sign({ method: 'POST', path, headers, body });
  return headers;
}

/** Sends bytes; returns the response once it matches or the connection is closed. */
function raw(
  head: string[],
  body: Uint8Array | string = '',
  until = /^never/,
  to: Listening = server,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(to.port, to.host);
    let came = '';
    socket.on('data', (data) => {
      came += data;
      if (!until.test(came)) return;
      resolve(came);
      socket.destroy();
    });
    // The server may close before it has read everything, which counts as a response.
    socket.on('error', () => {});
    socket.on('close', () => resolve(came));
    socket.setTimeout(20_000, () => reject(new Error(`The server did not answer more: ${came}`)));
    socket.write(`${head.join('\r\n')}\r\n\r\n`);
    socket.write(body);
  });
}

const lines = (headers: Headers) =>
  Object.entries(headers).map(([name, value]) => `${name}: ${value}`);

const post = (headers: Headers, path = '/') => [`POST ${path} HTTP/1.1`, ...lines(headers)];

describe('an unreadable request gets a response with a body:', () => {
  it.each([20_000, 1_000_000])('headers of %d bytes', async (bytes) => {
    const answer = await raw(post({ host: 'x', 'x-long': 'x'.repeat(bytes) }));
    expect(answer).toMatch(
      /^HTTP\/1\.1 431 Request Header Fields Too Large\r\n.*\r\n\r\n{.*16384/s,
    );
  });

  it('an unsupported value of Expect', async () => {
    for (const expected of ['200-ok', 'foo']) {
      const head = post({
        host: 'x',
        connection: 'close',
        expect: expected,
        'content-length': '1',
      });
      expect(await raw(head, 'x')).toMatch(
        new RegExp(`^HTTP/1\\.1 417 .*\\r\\n\\r\\n{.*${expected}`, 's'),
      );
    }
  });

  it('data that is not HTTP', async () => {
    expect(await raw(['hello'])).toMatch(/^HTTP\/1\.1 400 .*\r\n\r\n{.*MalformedRequest/s);
  });
});

describe('the head of a request', () => {
  const LONG = { 'content-length': String(16 * MIB) };

  it('decides whether a body may be sent', async () => {
    const asking = { ...LONG, expect: '100-continue' };
    const unsigned = await raw(post({ host: 'x', ...JSON_HEADERS, ...asking }), '', /}$/);
    expect(unsigned).toMatch(/^HTTP\/1\.1 403 .*AccessDenied/s);
    const known = await raw(post({ ...(await signed('{}')), ...asking }), '', /\r\n\r\n/);
    expect(known).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const another = { ...(await signed('{}')), 'x-amz-content-sha256': '0'.repeat(64) };
    const forged = await raw(post({ ...another, ...asking }), '', /}$/);
    expect(forged).toMatch(/^HTTP\/1\.1 403 .*InvalidSignature/s);
    const endless = {
      ...(await signed('{}')),
      expect: '100-continue',
      'content-length': '99999999',
    };
    expect(await raw(post(endless), '', /}$/)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('is answered even if the body is sent first', async () => {
    const head = post({ host: 'x', ...JSON_HEADERS, ...LONG });
    const answer = await raw(head, Buffer.alloc(16 * MIB, 'x'));
    expect(answer).toMatch(/^HTTP\/1\.1 403 .*AccessDenied/s);
  });

  it('keeps its connection if the refused body is short', async () => {
    const body = 'x'.repeat(MIB);
    const refused = `${post({ host: 'x', 'content-length': String(body.length) }).join('\r\n')}\r\n\r\n${body}`;
    const headers = { ...(await signed('{}')), connection: 'close', 'content-length': '2' };
    const next = `${post(headers).join('\r\n')}\r\n\r\n{}`;
    const answers = await raw([refused + next.replace(/\r\n\r\n{}$/, '')], '{}');
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 403', 'HTTP/1.1 200']);
  });
});

it('a body that differs from its declared digest is refused', async () => {
  const headers = await signed('{}');
  for (const [body, length] of [
    ['{ }', '3'],
    ['', '0'],
  ] as const) {
    const head = post({ ...headers, connection: 'close', 'content-length': length });
    expect(await raw(head, body)).toMatch(/^HTTP\/1\.1 403 .*InvalidSignature/s);
  }
  // Data after the body is another request; here it is not a valid one.
  const longer = await raw(post({ ...headers, 'content-length': '2' }), '{} and more');
  expect(longer).toMatch(/HTTP\/1\.1 400 /);
});

it('unverified bodies are dropped when others need their memory', async () => {
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${date.slice(0, 8)}/us-east-1/sqs/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${KEY.accessKeyId}/${scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`;
  const head = post({
    host: 'x',
    ...JSON_HEADERS,
    'x-amz-date': date,
    authorization,
    'content-length': String(15 * MIB),
  });
  const bytes = Buffer.alloc(15 * MIB - 1, 'x');
  const answers: string[] = [];
  const flood = Array.from({ length: 6 }, () =>
    raw(head, bytes, /}$/).then((answer) => answers.push(answer)),
  );
  await expect.poll(() => answers.length, { timeout: 60_000 }).toBeGreaterThanOrEqual(2);
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 503 .*ServiceUnavailable/s);
  const small = post({
    host: 'x',
    ...JSON_HEADERS,
    'x-amz-date': date,
    authorization,
    'content-length': '2',
  });
  expect(await raw(small, '{}', /}$/)).toMatch(/^HTTP\/1\.1 403 /);
  await server.close();
  await Promise.all(flood);
});

describe('a path', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['//', '/'],
    ['/a/b', '/a/b'],
    ['/a/', '/a/'],
    ['//a///b//', '/a/b/'],
    ['/./a/.', '/a'],
    ['/x/../a', '/a'],
    ['/../../a', '/a'],
    ['/a/..', '/'],
    ['/a/../', '/'],
    ['/..a/.b/c..', '/..a/.b/c..'],
    ['/a/%2e%2e/b', '/a/%2e%2e/b'],
    ['/a%2Fb', '/a%2Fb'],
  ])('%j is %j', (path, normal) => {
    expect(normalPath(path)).toBe(normal);
    expect(normalPath(normal)).toBe(normal);
  });

  it.each([
    ['/2015-03-31/functions/f/invocations', 200],
    ['//2015-03-31//functions/./f/invocations', 200],
    ['/x/../2015-03-31/functions/g/../f/invocations', 200],
    ['http://somewhere/2015-03-31/functions/f/invocations', 200],
    ['/2015-03-31/functions/g/%2e%2e/f/invocations', 404],
    ['/2015-03-31/functions/g%2f..%2ff/invocations', 404],
    ['/2015-03-31/functions/f/invocations/', 404],
    ['/2015-03-31/functions/%/invocations', 404],
  ])('%s is the same for signatures and for routes', async (target, status) => {
    const path = target.replace('http://somewhere', '');
    const headers = {
      ...(await signed('{}', lambda, path, 'lambda')),
      connection: 'close',
      'content-length': '2',
    };
    expect(await raw(post(headers, target), '{}', undefined, lambda)).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} `),
    );
  });
});
