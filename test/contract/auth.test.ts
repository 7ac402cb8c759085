import { ListQueuesCommand, SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';
import { AwsQueryProtocol, AwsSmithyRpcV2CborProtocol } from '@aws-sdk/core/protocols';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ServeSqsOptions, type SqsServer, serveSqs } from '../../src/emulator/sqs/index.ts';
import { PROTOCOLS, rawRefusal, rawRequest } from './raw.ts';
import { refusal } from './test-queue.ts';

/** Whether serveSqs verifies signatures yet. */
const VERIFIES = true;

const KEY = { accessKeyId: 'AKIDCONTRACT', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG' };
const SECOND = { accessKeyId: 'AKIDSECOND', secretAccessKey: 'another' };
const OPTIONS: ServeSqsOptions & { credentials: object[] } = { credentials: [KEY, SECOND] };

describe.skipIf(!VERIFIES)('Auth', () => {
  let server: SqsServer;
  beforeAll(async () => {
    server = await serveSqs(OPTIONS);
  });
  afterAll(() => server.close());

  const client = (config: SQSClientConfig = {}) =>
    new SQSClient({
      region: 'us-east-1',
      endpoint: server.url,
      credentials: KEY,
      maxAttempts: 1,
      ...config,
    });
  const list = (config?: SQSClientConfig) => client(config).send(new ListQueuesCommand());

  const amzDate = (ms: number) => new Date(ms).toISOString().replace(/[-:]|\.\d{3}/g, '');
  /** A well-formed header with an invalid signature. */
  const header = (accessKeyId: string, date: string) =>
    `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${date.slice(0, 8)}/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`;

  it.each([
    ['JSON', {}],
    ['CBOR', { protocol: AwsSmithyRpcV2CborProtocol }],
    ['Query', { protocol: AwsQueryProtocol }],
  ] as [string, SQSClientConfig][])('every known key is accepted, over %s', async (_, config) => {
    await list(config);
    await list({ ...config, credentials: SECOND });
    const wrong = list({ ...config, credentials: { ...KEY, secretAccessKey: 'wrong' } });
    expect(await refusal(wrong)).toMatchObject({ name: 'SignatureDoesNotMatch', status: 403 });
  });

  it('a clock that is wrong by an hour is refused [P]', async () => {
    for (const systemClockOffset of [-3_600_000, 3_600_000]) {
      const { name } = await refusal(list({ systemClockOffset }));
      expect(name).toBe('SignatureDoesNotMatch');
    }
  });

  describe.each(PROTOCOLS)('in %s', (protocol) => {
    const asked = async (headers: Record<string, string>) => {
      const request = rawRequest(protocol, 'ListQueues', {});
      const answer = await fetch(server.url, {
        method: 'POST',
        body: request.body,
        headers: { ...request.headers, ...headers },
      });
      const { status, code, type } = await rawRefusal(answer);
      return [status, code, type.replace(/^.*#/, '')];
    };
    const named = (status: number, code: string, type: string) => [
      status,
      code,
      protocol === 'JSON' ? type : code,
    ];

    it('no signature: 403 AccessDenied [P]', async () => {
      expect(await asked({})).toEqual(named(403, 'AccessDenied', 'AccessDeniedException'));
    });

    it('an unknown key: 403 InvalidClientTokenId [P]', async () => {
      const date = amzDate(Date.now());
      const unknown = { 'x-amz-date': date, authorization: header('AKIDNOBODY', date) };
      expect(await asked(unknown)).toEqual(
        named(403, 'InvalidClientTokenId', 'UnrecognizedClientException'),
      );
    });

    it('a bad signature, or a clock that is off: 403 SignatureDoesNotMatch [P]', async () => {
      for (const ms of [Date.now(), Date.now() - 3_600_000]) {
        const date = amzDate(ms);
        const bad = { 'x-amz-date': date, authorization: header(KEY.accessKeyId, date) };
        expect(await asked(bad)).toEqual(
          named(403, 'SignatureDoesNotMatch', 'InvalidSignatureException'),
        );
      }
    });

    it('a malformed header: 400 IncompleteSignature [P]', async () => {
      const malformed = { authorization: 'AWS4-HMAC-SHA256 nonsense' };
      expect(await asked({ 'x-amz-date': amzDate(Date.now()), ...malformed })).toEqual(
        named(400, 'IncompleteSignature', 'IncompleteSignatureException'),
      );
    });
  });
});
