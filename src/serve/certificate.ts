import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
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
import {
  publicFile,
  readPublic,
  readSecret,
  secretFile,
  writePublic,
} from '../endpoint/secret-files.ts';
import { FanfoldError } from '../errors.ts';

/** A certificate and its private key, as PEM. */
export interface KeyedCertificate {
  cert: string;
  key: string;
}

/**
 * Reads the certificate and key of a folder's server, or creates them. The key comes first: two
 * servers that create it at once end up with the same key, and either can create its certificate.
 */
export async function certificateIn(folder: string): Promise<KeyedCertificate> {
  const files = { cert: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
  await split(files);
  if (readPublic(files.cert) !== undefined && readSecret(files.key) === undefined) {
    throw new FanfoldError(
      'BadOption',
      `${files.cert} has no private key: restore ${files.key}, or delete the certificate to create a new one.`,
    );
  }
  const key = await secretFile(files.key, makeKey);
  checkPem(files.key, key, PRIVATE_KEY);
  const cert = await publicFile(files.cert, () => makeCertificate(key));
  checkPem(files.cert, cert, CERTIFICATE);
  return { cert, key };
}

function checkPem(file: string, text: string, expected: RegExp): void {
  if (expected.test(text)) return;
  throw new FanfoldError(
    'BadOption',
    `${file} is not a valid PEM file: delete certificate.pem and key.pem to create new ones.`,
  );
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/;

/** Splits the file of versions before 0.1, which held both. The certificate must not change. */
async function split(files: KeyedCertificate): Promise<void> {
  if (!PRIVATE_KEY.test(readPublic(files.cert) ?? '')) return;
  const both = readSecret(files.cert) ?? '';
  await secretFile(files.key, () => PRIVATE_KEY.exec(both)?.[0] ?? '');
  await writePublic(files.cert, both.replace(PRIVATE_KEY, ''));
}

const COMMON_NAME = '2.5.4.3';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';

/** Validity. Long, since clients know the certificate by its fingerprint. */
const DAYS = 3_650;
const DAY_MS = 86_400_000;

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/**
 * Makes a self-signed certificate for this machine's current names and addresses. It is not a CA: a
 * client that trusts it must not trust other certificates signed with its key.
 */
function makeCertificate(key: string): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const algorithm = new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 });
  const itself = nameOf('fanfold serve');
  const now = Date.now();
  const serial = randomBytes(16);
  // Makes it a positive number in its shortest encoding, as DER requires.
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
  const signature = sign('sha256', Buffer.from(AsnConvert.serialize(signed)), key);
  const certificate = new Certificate({
    tbsCertificate: signed,
    signatureAlgorithm: algorithm,
    signatureValue: bytesOf(signature),
  });
  return pem('CERTIFICATE', AsnConvert.serialize(certificate));
}

function extensionsOf(publicKey: Buffer): Extensions {
  const constraints = new BasicConstraints({ cA: false });
  const usage = new KeyUsage(KeyUsageFlags.digitalSignature);
  const purpose = new ExtendedKeyUsage([id_kp_serverAuth]);
  const keyId = createHash('sha1').update(publicKey).digest();
  return new Extensions([
    extension(id_ce_basicConstraints, constraints, true),
    extension(id_ce_keyUsage, usage, true),
    extension(id_ce_extKeyUsage, purpose, false),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(bytesOf(keyId)), false),
    extension(id_ce_subjectAltName, new SubjectAlternativeName(namesHere()), false),
  ]);
}

/** This machine's names and addresses, for clients that verify them; Fanfold's don't. */
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
