import { createPrivateKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { certificateIn } from '../../src/serve/certificate.ts';
import { tlsOf } from '../../src/serve/tls.ts';

const folder = mkdtempSync(join(tmpdir(), 'fanfold-tls-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('the TLS check reports whether the certificate or its key is invalid, without error codes', async () => {
  const one = await certificateIn(join(folder, 'one'));
  const other = await certificateIn(join(folder, 'other'));
  expect(await tlsOf(one, false, folder)).toMatchObject(one);
  const encrypted = createPrivateKey(one.key).export({
    ...{ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' },
  });
  const cases: [given: typeof one, sentence: RegExp][] = [
    [{ cert: 'none', key: one.key }, /certificate cannot be read: expected PEM/],
    [{ cert: one.cert, key: 'none' }, /key cannot be read: expected PEM/],
    [{ cert: one.cert, key: one.cert }, /key cannot be read: expected PEM/],
    [{ cert: one.cert, key: String(encrypted) }, /key is encrypted: give a key without/],
    [{ cert: one.cert, key: other.key }, /key does not belong to the certificate/],
  ];
  for (const [given, sentence] of cases) {
    const refused = expect.objectContaining({
      code: 'BadOption',
      message: expect.stringMatching(sentence),
    });
    await expect(tlsOf(given, false, folder)).rejects.toEqual(refused);
    await expect(tlsOf(given, false, folder)).rejects.not.toThrow(/error:|routines/);
  }
});
