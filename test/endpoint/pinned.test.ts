import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fingerprintOf, PinnedAgent, WrongCertificate } from '../../src/endpoint/pinned.ts';
import { certificateIn } from '../../src/serve/certificate.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-pinned-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a pinned certificate', () => {
  let server: ReturnType<typeof createServer>;
  let fingerprint: string;
  /** The data received through the encrypted connections. */
  let came = '';
  let closed = 0;

  beforeAll(async () => {
    const { cert, key } = await certificateIn(folder);
    fingerprint = fingerprintOf(new X509Certificate(cert).fingerprint256);
    server = createServer({ cert, key }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        came += data;
        socket.end('HTTP/1.1 204 No Content\r\n\r\n');
      });
    });
    server.on('connection', (socket) => socket.on('close', () => closed++));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.close();
  });

  async function ask(pin: string): Promise<number> {
    const { port } = server.address() as AddressInfo;
    const agent = new PinnedAgent(pin, { keepAlive: true });
    const asking = request({ host: '127.0.0.1', port, path: '/secret', agent }).end();
    try {
      const [response] = await once(asking, 'response');
      response.resume();
      return response.statusCode;
    } finally {
      agent.destroy();
    }
  }

  it('is accepted by its fingerprint, whichever authority signed it', async () => {
    expect(await ask(fingerprint)).toBe(204);
    await expect.poll(() => closed).toBe(1);
    expect(came).toContain('GET /secret');
  });

  it('with another fingerprint is refused before anything is sent', async () => {
    came = '';
    const before = closed;
    const other = fingerprint.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
    const error = await ask(other).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WrongCertificate);
    expect(error).toMatchObject({ shown: fingerprint });
    await expect.poll(() => closed).toBe(before + 1);
    expect(came).toBe('');
  });

  it('is created once per folder, for its owner only', async () => {
    const { cert, key } = await certificateIn(folder);
    expect(await certificateIn(folder)).toEqual({ cert, key });
    const modeOf = (name: string) => statSync(join(folder, name)).mode & 0o777;
    expect([modeOf('certificate.pem'), modeOf('key.pem')]).toEqual([0o644, 0o600]);
    expect(readFileSync(join(folder, 'certificate.pem'), 'utf8')).toBe(cert);
    expect(cert).not.toContain('PRIVATE');
    const certificate = new X509Certificate(cert);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.ca).toBe(false);
    const years = (certificate.validToDate.getTime() - Date.now()) / (365 * 86_400_000);
    expect(Math.round(years)).toBe(10);
  });

  it('is the same for two processes that create it at once', async () => {
    const shared = join(folder, 'shared');
    const [one, other] = await Promise.all([certificateIn(shared), certificateIn(shared)]);
    expect(one).toEqual(other);
  });

  it('that an older Fanfold stored in one file with its key stays the same', async () => {
    const old = join(folder, 'old');
    mkdirSync(old);
    const { cert, key } = await certificateIn(folder);
    const file = join(old, 'certificate.pem');
    writeFileSync(file, cert + key, { mode: 0o600 });
    const [one, other] = await Promise.all([certificateIn(old), certificateIn(old)]);
    expect(one).toEqual({ cert, key });
    expect(other).toEqual({ cert, key });
    expect(readFileSync(file, 'utf8')).toBe(cert);
    expect(readFileSync(join(old, 'key.pem'), 'utf8')).toBe(key);
    // Any user who could read it may know the key.
    rmSync(join(old, 'key.pem'));
    writeFileSync(file, cert + key);
    chmodSync(file, 0o644);
    await expect(certificateIn(old)).rejects.toThrow('users other than its owner can read it');
  });

  it('without its key is refused, and so is a key that others can read', async () => {
    const half = join(folder, 'half');
    mkdirSync(half);
    await certificateIn(half);
    chmodSync(join(half, 'key.pem'), 0o640);
    await expect(certificateIn(half)).rejects.toThrow('holds a secret');
    rmSync(join(half, 'key.pem'));
    await expect(certificateIn(half)).rejects.toThrow('has no private key');
    rmSync(join(half, 'certificate.pem'));
    expect((await certificateIn(half)).cert).toContain('BEGIN CERTIFICATE');
  });

  it('is trusted by clients that have it as their authority', async () => {
    const { port } = server.address() as AddressInfo;
    const CA = join(folder, 'certificate.pem');
    const url = `https://127.0.0.1:${port}/`;
    const run = promisify(execFile);
    const script = `fetch('${url}').then(({ status }) => console.log(status))`;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: CA };
    expect((await run(process.execPath, ['-e', script], { env })).stdout).toBe('204\n');
    const curl = ['-sS', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', CA, url];
    expect((await run('curl', curl)).stdout).toBe('204');
  });
});
