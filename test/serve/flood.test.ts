// @module-tag more
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Signer } from '../../src/emulator/auth/index.ts';
import { aUser, serve } from '../cli/serving.ts';
import type { Flood } from './flooder.ts';

aUser();

const KEY = { accessKeyId: 'AKIDFLOOD', secretAccessKey: 'secret' };
const GIVEN = { AWS_ACCESS_KEY_ID: KEY.accessKeyId, AWS_SECRET_ACCESS_KEY: KEY.secretAccessKey };
const MIB = 1024 * 1024;

/** Many long bodies, together 2 GiB. */
const CONNECTIONS = 128;
const BODY_BYTES = 16 * MIB;

type Headers = Record<string, string>;

const UNSIGNED: Headers = {
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-target': 'AmazonSQS.SendMessage',
};

/** Signs like botocore: the body's hash is in the signature, not in a header. */
function ofKnownKey(): Headers {
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${date.slice(0, 8)}/us-east-1/sqs/aws4_request`;
  const signature = '0'.repeat(64);
  return {
    ...UNSIGNED,
    'x-amz-date': date,
    authorization: `AWS4-HMAC-SHA256 Credential=${KEY.accessKeyId}/${scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${signature}`,
  };
}

async function signed(host: string): Promise<Headers> {
  const signer = new Signer({ credentials: KEY, region: 'us-east-1', service: 'sqs' });
  const request = {
    method: 'POST',
    path: '/',
    headers: { ...UNSIGNED, host },
    body: new Uint8Array(9),
  };
  const { host: _, ...headers }: Headers = (await signer.sign(request)).headers;
  return headers;
}

/** Peak memory of a process, in MiB. */
function peakOf(pid: number | undefined): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

describe.runIf(process.platform === 'linux')('a flood of bodies that never end', () => {
  /** Its responses, the growth of the server's memory, and the time that other calls wait. */
  async function flood(headersOf: (host: string) => Headers | Promise<Headers>, inChunks = false) {
    const server = await serve([], GIVEN);
    const host = `127.0.0.1:${server.port}`;
    const sqs = new SQSClient({ region: 'us-east-1', endpoint: server.url, credentials: KEY });
    await sqs.send(new ListQueuesCommand({}));
    const before = peakOf(server.child.pid);
    const headers = Object.entries(await headersOf(host)).map(
      ([name, value]) => `${name}: ${value}`,
    );
    const length = inChunks ? 'transfer-encoding: chunked' : `content-length: ${BODY_BYTES}`;
    const workerData: Flood = {
      port: Number(server.port),
      connections: CONNECTIONS,
      head: `${['POST / HTTP/1.1', `host: ${host}`, ...headers, length].join('\r\n')}\r\n\r\n${inChunks ? `${BODY_BYTES.toString(16)}\r\n` : ''}`,
      body: randomBytes(BODY_BYTES - 1),
    };
    const flooder = new Worker(new URL('./flooder.ts', import.meta.url), { workerData });
    onTestFinished(async () => void (await flooder.terminate()));
    let answers: string[] | undefined;
    void once(flooder, 'message').then(([came]) => {
      answers = came;
    });
    const waits: number[] = [];
    while (answers === undefined) {
      const began = performance.now();
      await sqs.send(new ListQueuesCommand({}));
      waits.push(performance.now() - began);
    }
    sqs.destroy();
    const grownMiB = peakOf(server.child.pid) - before;
    waits.sort((one, other) => one - other);
    return { answers, grownMiB, usualMs: waits[waits.length >> 1] };
  }

  it('is refused unread if it is not signed', async () => {
    const { answers, grownMiB, usualMs } = await flood(() => UNSIGNED);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 403 .*AccessDenied/s);
    expect(grownMiB).toBeLessThan(150);
    expect(usualMs).toBeLessThan(1_000);
  });

  it.each([
    ['of a declared length', false],
    ['in chunks', true],
  ])('shares little memory if only the body could prove its sender, %s', async (_, inChunks) => {
    const { grownMiB, usualMs } = await flood(ofKnownKey, inChunks);
    expect(grownMiB).toBeLessThan(250);
    expect(usualMs).toBeLessThan(1_000);
  });

  it('shares more memory if it is signed', async () => {
    const { grownMiB, usualMs } = await flood(signed);
    expect(grownMiB).toBeLessThan(500);
    expect(usualMs).toBeLessThan(1_000);
  });
});
