import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { fingerprintOf } from '../endpoint/pinned.ts';
import { FanfoldError, messageOf } from '../errors.ts';

/** Certificate and key for TLS, as PEM. */
export interface Tls {
  cert: string;
  key: string;
  /**
   * SHA-256 of the certificate in hex, by which clients verify the server; undefined if an
   * authority signed the certificate.
   */
  fingerprint: string | undefined;
}

/** Loaded when it is needed: its ASN.1 packages are a sixth of all modules that `fanfold` loads. */
async function generated(folder: string): Promise<{ cert: string; key: string }> {
  const { certificateIn } = await import('./certificate.ts');
  return certificateIn(folder);
}

/** The certificate that the user provided; or, if one is needed, the folder's generated one. */
export async function tlsOf(
  given: { cert: string; key: string } | undefined,
  needed: boolean,
  folder: string,
): Promise<Tls | undefined> {
  if (given === undefined && !needed) return undefined;
  const { cert, key } = given ?? (await generated(folder));
  const certificate = checked(cert, key);
  const isItsOwn = certificate.issuer === certificate.subject;
  const fingerprint = isItsOwn ? fingerprintOf(certificate.fingerprint256) : undefined;
  return { cert, key, fingerprint };
}

/** @throws FanfoldError `BadOption` that says which of the two cannot be used */
function checked(cert: string, key: string): X509Certificate {
  const certificate = attempt(() => new X509Certificate(cert), NO_CERTIFICATE);
  const privateKey = attempt(() => createPrivateKey(key), noKey(key));
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new FanfoldError(
      'BadOption',
      'The private key does not belong to the certificate: give the matching key.',
    );
  }
  // Detects, for example, a key that is too short for TLS.
  attempt(() => createSecureContext({ cert, key }), 'TLS cannot use the certificate and its key');
  return certificate;
}

const NO_CERTIFICATE =
  'The certificate cannot be read: expected PEM, which begins with -----BEGIN CERTIFICATE-----';

function noKey(key: string): string {
  return /ENCRYPTED/.test(key)
    ? 'The private key is encrypted: give a key without a passphrase (openssl pkey -in FILE)'
    : 'The private key cannot be read: expected PEM, which begins with -----BEGIN PRIVATE KEY-----';
}

function attempt<T>(act: () => T, sentence: string): T {
  try {
    return act();
  } catch (cause) {
    // OpenSSL's reason, without its codes.
    const [, reason] = /^error:[0-9A-F]+:[^:]*:[^:]*:(.+)$/.exec(messageOf(cause)) ?? [];
    const why = reason === undefined ? '' : ` (${reason})`;
    throw new FanfoldError('BadOption', `${sentence}${why}.`, { cause });
  }
}
