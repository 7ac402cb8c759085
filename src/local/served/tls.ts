import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { FanfoldError, messageOf } from '../../errors.ts';
import { certificateIn } from './certificate.ts';
import { fingerprintOf } from './pinned.ts';

/** What a server needs to speak TLS, as PEM. */
export interface Tls {
  cert: string;
  key: string;
  /**
   * SHA-256 of the certificate in hex, by which clients are to know the server; undefined where an
   * authority vouches for the certificate.
   */
  fingerprint: string | undefined;
}

/** The certificate that was given; or where one is needed, the one that was made for a folder. */
export async function tlsOf(
  given: { cert: string; key: string } | undefined,
  needed: boolean,
  folder: string,
): Promise<Tls | undefined> {
  if (given === undefined && !needed) return undefined;
  const { cert, key } = given ?? (await certificateIn(folder));
  let certificate: X509Certificate;
  try {
    createSecureContext({ cert, key });
    certificate = new X509Certificate(cert);
  } catch (error) {
    throw new FanfoldError(
      'BadOption',
      `The certificate and its private key cannot be used; two files in PEM that belong together were expected: ${messageOf(error)}`,
      { cause: error },
    );
  }
  const isItsOwn = certificate.issuer === certificate.subject;
  const fingerprint = isItsOwn ? fingerprintOf(certificate.fingerprint256) : undefined;
  return { cert, key, fingerprint };
}
