import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
} from '@peculiar/asn1-x509';
import { FanfoldError } from '../../errors.ts';
import { secretFile } from './folders.ts';

/** A certificate and its private key, as PEM. */
export interface KeyedCertificate {
  cert: string;
  key: string;
}

/** The certificate that was made for a folder's server, or a new one. */
export async function certificateIn(folder: string): Promise<KeyedCertificate> {
  const file = join(folder, 'certificate.pem');
  const text = await secretFile(file, async () => {
    const { cert, key } = makeCertificate();
    return `${cert}${key}`;
  });
  const [cert] = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----\n?/.exec(text) ?? [];
  const [key] = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/.exec(text) ?? [];
  if (cert !== undefined && key !== undefined) return { cert, key };
  throw new FanfoldError(
    'BadOption',
    `${file} is to hold a certificate and its private key as PEM, and does not: delete it for a new one.`,
  );
}

const COMMON_NAME = '2.5.4.3';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** Clients know it by its fingerprint, which lasts as long as it does. */
const DAYS = 3_650;
const DAY_MS = 86_400_000;

/** A certificate of this machine's own, for all of its present names and addresses. */
function makeCertificate(): KeyedCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'der' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const itself = nameOf('fanfold serve');
  const now = Date.now();
  const serial = randomBytes(16);
  // A positive number, without a byte that it could do without.
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const signed = new TBSCertificate({
    version: 2,
    serialNumber: bytesOf(serial),
    signature: algorithm,
    issuer: itself,
    subject: itself,
    validity: new Validity({
      notBefore: new Date(now - DAY_MS),
      notAfter: new Date(now + DAYS * DAY_MS),
    }),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey, SubjectPublicKeyInfo),
    extensions: extensionsOf(publicKey),
  });
  const signature = sign(
    'sha256',
    Buffer.from(AsnConvert.serialize(signed)),
    createPrivateKey(privateKey),
  );
  const certificate = new Certificate({
    tbsCertificate: signed,
    signatureAlgorithm: algorithm,
    signatureValue: bytesOf(signature),
  });
  return { cert: pem('CERTIFICATE', AsnConvert.serialize(certificate)), key: privateKey };
}

function extensionsOf(publicKey: Buffer): Extensions {
  const constraints = new BasicConstraints({ cA: true, pathLenConstraint: 0 });
  const usage = new KeyUsage(KeyUsageFlags.digitalSignature | KeyUsageFlags.keyCertSign);
  const keyId = createHash('sha1').update(publicKey).digest();
  return new Extensions([
    extension(id_ce_basicConstraints, constraints, true),
    extension(id_ce_keyUsage, usage, true),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(bytesOf(keyId)), false),
    extension(id_ce_subjectAltName, new SubjectAlternativeName(namesHere()), false),
  ]);
}

/** This machine's names and addresses, for clients that look at them: ours do not. */
function namesHere(): GeneralName[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return [
    ...['localhost', hostname()].map((dNSName) => new GeneralName({ dNSName })),
    ...addresses.map(({ address }) => new GeneralName({ iPAddress: address })),
  ];
}

function nameOf(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  const part = new AttributeTypeAndValue({ type: COMMON_NAME, value });
  return new Name([new RelativeDistinguishedName([part])]);
}

function extension(extnID: string, value: object, critical: boolean): Extension {
  return new Extension({
    extnID,
    critical,
    extnValue: new OctetString(AsnConvert.serialize(value)),
  });
}

function bytesOf(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}

function pem(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
