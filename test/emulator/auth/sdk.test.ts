import { ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { describe, expect, it } from 'vitest';
import { Verifier } from '../../../src/emulator/auth/index.ts';
import { RECEIVE_ATTEMPT } from '../../../src/emulator/sqs/receive-attempt.ts';
import { listen } from '../../../src/emulator/transport/index.ts';
import { sqsOf } from '../../../src/endpoint/clients.ts';
import {
  CREDENTIALS,
  captured,
  presigned,
  recorder,
  sendMessage,
  signed,
  verdict,
} from './signed.ts';

const AT = Date.UTC(2026, 1, 28, 23, 59, 30);
const signingDate = new Date(AT);

describe('a request of our own signer', () => {
  it('verifies over a port, and no changed request does', async () => {
    const { requests, service } = recorder();
    await using server = await listen(service);
    using client = disposable(
      sqsOf(
        { endpoint: server.url, region: 'us-east-1', credentials: CREDENTIALS },
        { maxAttempts: 1 },
      ),
    );
    await sendMessage(client);
    await client.send(new ReceiveMessageCommand({ QueueUrl: `${server.url}/0/q` })).catch(() => {});
    expect(requests.map((request) => verdict(request, Date.now()))).toEqual(['ok', 'ok']);
    const [sent, received] = requests;
    if (!sent || !received) throw new Error('Two requests were expected.');
    expect(verdict({ ...sent, body: received.body }, Date.now())).toBe('mismatch');
    const attempt = { ...received.headers, [RECEIVE_ATTEMPT]: 'another' };
    expect(verdict({ ...received, headers: attempt }, Date.now())).toBe('mismatch');
    const others = { accessKeyId: CREDENTIALS.accessKeyId, secretAccessKey: 'guessed' };
    const other = new Verifier({ credentials: [others], region: 'us-east-1', service: 'sqs' });
    expect(verdict(sent, Date.now(), other)).toBe('mismatch');
  });
});

describe.each([
  ['JSON', {}],
  ['Query', { protocol: AwsQueryProtocol }],
  ['CBOR', { protocol: AwsSmithyRpcV2CborProtocol }],
])('a request of a real client over %s', (_, config) => {
  it('verifies in process', async () => {
    expect(verdict(await captured(config), Date.now())).toBe('ok');
  });

  it('verifies over a port', async () => {
    const { requests, service } = recorder();
    await using server = await listen(service);
    using client = disposable(
      new SQSClient({
        region: 'us-east-1',
        endpoint: server.url,
        useQueueUrlAsEndpoint: false,
        credentials: CREDENTIALS,
        maxAttempts: 1,
        ...config,
      }),
    );
    await sendMessage(client);
    await sendMessage(client, '');
    expect(requests.map((request) => verdict(request, Date.now()))).toEqual(['ok', 'ok']);
  });

  it('verifies with a session token', async () => {
    const credentials = { ...CREDENTIALS, sessionToken: 'a/token+of=some==length' };
    const request = await captured({ ...config, credentials });
    expect(request.headers['x-amz-security-token']).toBe(credentials.sessionToken);
    expect(verdict(request, Date.now())).toBe('ok');
    const stolen = { ...request.headers, 'x-amz-security-token': 'another' };
    expect(verdict({ ...request, headers: stolen }, Date.now())).toBe('mismatch');
  });

  it('does not verify with another secret, region or key', async () => {
    const now = Date.now();
    const credentials = { ...CREDENTIALS, secretAccessKey: 'guessed' };
    expect(verdict(await captured({ ...config, credentials }), now)).toBe('mismatch');
    expect(verdict(await captured({ ...config, region: 'eu-west-1' }), now)).toBe('mismatch');
    const unknown = { ...CREDENTIALS, accessKeyId: 'AKIDOTHER' };
    expect(verdict(await captured({ ...config, credentials: unknown }), now)).toBe('unknownKey');
  });
});

describe('a request that the SDK presigns', () => {
  const draft = { query: { Action: 'SendMessage', MessageBody: "a+b c&d=é*'()!~/?", 'Tag.1': '' } };

  it('verifies', async () => {
    const request = await presigned(draft, { signingDate });
    expect(request.headers).toEqual({ host: '127.0.0.1:9324' });
    expect(verdict(request, AT)).toBe('ok');
  });

  it('verifies with a session token, which is signed', async () => {
    const credentials = { ...CREDENTIALS, sessionToken: 'a/token+of=some==length' };
    const request = await presigned(draft, { signingDate }, credentials);
    expect(verdict(request, AT)).toBe('ok');
    request.query.delete('X-Amz-Security-Token');
    expect(verdict(request, AT)).toBe('mismatch');
  });

  it('verifies with a body, which is signed', async () => {
    const post = { method: 'POST', body: 'Action=ListQueues' };
    const request = await presigned(post, { signingDate });
    expect(verdict(request, AT)).toBe('ok');
    expect(verdict({ ...request, body: 'Action=DeleteQueue' }, AT)).toBe('mismatch');
  });

  it.each([1, 59, 3600, 604_800])('lasts for its %d s, and not one more', async (expiresIn) => {
    const request = await presigned(draft, { signingDate, expiresIn });
    expect(verdict(request, AT)).toBe('ok');
    expect(verdict(request, AT + expiresIn * 1000)).toBe('ok');
    expect(verdict(request, AT + (expiresIn + 1) * 1000)).toBe('mismatch');
    expect(verdict(request, AT - 899_000)).toBe('ok');
    expect(verdict(request, AT - 901_000)).toBe('mismatch');
  });
});

describe('a request of the SDK’s signer', () => {
  it.each([
    '/000000000000/q',
    '/a b/ü/%20/%2F',
    '/2015-03-31/functions/arn%3Aaws%3Alambda%3A%3A%3Af/invocations',
    '/.hidden/a.b/..c',
    '/a//b/./c/../d/',
    '/..',
    "/!'()*~_-.",
  ])('verifies with the path %s', async (path) => {
    expect(verdict(await signed({ path }, { signingDate }), AT)).toBe('ok');
  });

  it('verifies with a query that is not in order', async () => {
    const query = { b: ['2', '1', ''], 'a-b': 'x', a: '%', A: '', 'é+': ' ', 'a b': '+' };
    expect(verdict(await signed({ query }, { signingDate }), AT)).toBe('ok');
  });

  it('verifies for each of several callers, and for its own service only', async () => {
    const other = { accessKeyId: 'AKIDOTHER', secretAccessKey: 'other' };
    const both = { credentials: [CREDENTIALS, other], region: 'us-east-1' };
    const sqs = new Verifier({ ...both, service: 'sqs' });
    const lambda = new Verifier({ ...both, service: 'lambda' });
    for (const credentials of both.credentials) {
      const toSqs = await signed({}, { signingDate }, credentials);
      const toLambda = await signed({}, { signingDate, signingService: 'lambda' }, credentials);
      expect([verdict(toSqs, AT, sqs), verdict(toSqs, AT, lambda)]).toEqual(['ok', 'mismatch']);
      expect([verdict(toLambda, AT, lambda), verdict(toLambda, AT, sqs)]).toEqual([
        'ok',
        'mismatch',
      ]);
    }
  });

  it('verifies day after day', async () => {
    for (let day = 0; day < 40; day++) {
      const at = AT + day * 86_400_000;
      const request = await signed({}, { signingDate: new Date(at) });
      expect(verdict(request, at)).toBe('ok');
    }
  });
});

function disposable<Client extends { destroy(): void }>(client: Client): Client & Disposable {
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}
