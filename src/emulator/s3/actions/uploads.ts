import { createHash, hash, randomUUID } from 'node:crypto';
import type { ServiceResponse } from '../../transport/index.ts';
import { bodyOf, textOfBody } from '../body.ts';
import type { Action, Call } from '../call.ts';
import { checkWrite } from '../conditions.ts';
import { S3Error } from '../errors.ts';
import { compareKeys } from '../objects.ts';
import type { Facts } from '../storage.ts';
import { contentsOf, element, textElement, textOf, XML_HEAD } from '../xml.ts';
import { headersToKeep } from './objects.ts';

const MAX_PARTS = 10_000;

/** The header of an upload's own record that holds the key of the object to be. */
const KEY = 'x-upload-key';

/**
 * The shelf of a bucket's uploads, whose keys are those of an upload and of its parts: `ID` and
 * `ID/00001`. No bucket has this name.
 */
const shelfOf = (bucket: string) => `${bucket}?uploads`;

const nameOfPart = (id: string, part: number) => `${id}/${String(part).padStart(5, '0')}`;

const ok = (root: string, content: string): ServiceResponse => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: `${XML_HEAD}${element(root, content)}`,
});

export const createUpload: Action = ({ request, bucket, key, objects, now }) => {
  const id = randomUUID().replaceAll('-', '');
  const headers = { ...headersToKeep(request.headers), [KEY]: encodeURIComponent(key) };
  objects.put(shelfOf(bucket), id, { etag: '', size: 0, modifiedAt: now, headers }, []);
  const texts = { Bucket: bucket, Key: key, UploadId: id };
  return ok('InitiateMultipartUploadResult', elementsOf(texts));
};

export const uploadPart: Action = (call) => {
  const { request, bucket, objects, now } = call;
  const { id } = uploadOf(call);
  const number = Number(request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > MAX_PARTS) {
    const message = `Part number must be an integer between 1 and ${MAX_PARTS}, inclusive`;
    throw new S3Error('InvalidArgument', message);
  }
  const { bytes, checksums } = bodyOf(request);
  const etag = hash('md5', bytes);
  const facts = { etag, size: bytes.length, modifiedAt: now, headers: checksums };
  objects.put(shelfOf(bucket), nameOfPart(id, number), facts, [bytes]);
  return { status: 200, headers: { ...checksums, etag: `"${etag}"` }, body: '' };
};

export const completeUpload: Action = (call) => {
  const { request, bucket, key, objects, now } = call;
  const { id, facts } = uploadOf(call);
  const parts = partsOf(call, id, textOfBody(request));
  checkWrite(call);
  const content = parts.map(({ name, size }) => objects.read(shelfOf(bucket), name, 0, size));
  const digests = createHash('md5');
  for (const { etag } of parts) digests.update(etag, 'hex');
  const etag = `${digests.digest('hex')}-${parts.length}`;
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const { [KEY]: _, ...headers } = facts.headers;
  objects.put(bucket, key, { etag, size, modifiedAt: now, headers }, content);
  remove(call, id);
  const texts = { Location: `/${bucket}/${key}`, Bucket: bucket, Key: key, ETag: `"${etag}"` };
  return ok('CompleteMultipartUploadResult', elementsOf(texts));
};

export const abortUpload: Action = (call) => {
  remove(call, uploadOf(call).id);
  return { status: 204, headers: {}, body: '' };
};

export const listUploads: Action = ({ request, bucket, objects }) => {
  const prefix = request.query.get('prefix') ?? '';
  const shelf = shelfOf(bucket);
  const uploads = objects.keysOf(shelf, '').flatMap((id) => {
    const { headers = {}, modifiedAt = 0 } = objects.get(shelf, id) ?? {};
    // A part has no key.
    const key = decodeURIComponent(headers[KEY] ?? '');
    return key !== '' && key.startsWith(prefix) ? [{ id, key, modifiedAt }] : [];
  });
  const texts = { Bucket: bucket, Prefix: prefix, IsTruncated: 'false' };
  const all = uploads
    .sort((a, b) => compareKeys(a.key, b.key) || a.modifiedAt - b.modifiedAt)
    .map(({ id, key, modifiedAt }) => {
      const initiated = new Date(modifiedAt).toISOString();
      return element('Upload', elementsOf({ Key: key, UploadId: id, Initiated: initiated }));
    });
  return ok('ListMultipartUploadsResult', `${elementsOf(texts)}${all.join('')}`);
};

function elementsOf(texts: Readonly<Record<string, string>>): string {
  return Object.entries(texts)
    .map(([name, text]) => textElement(name, text))
    .join('');
}

function uploadOf({ request, bucket, key, objects }: Call): { id: string; facts: Facts } {
  const id = request.query.get('uploadId') ?? '';
  const facts = objects.get(shelfOf(bucket), id);
  if (facts?.headers[KEY] === encodeURIComponent(key)) return { id, facts };
  throw new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { elements: { UploadId: id } },
  );
}

function remove({ bucket, objects }: Call, id: string): void {
  for (const name of objects.keysOf(shelfOf(bucket), id)) objects.delete(shelfOf(bucket), name);
}

interface Part extends Facts {
  name: string;
}

/** The parts that a request lists, which are checked. */
function partsOf({ bucket, objects, minPartBytes }: Call, id: string, xml: string): Part[] {
  const listed = contentsOf(xml, 'Part').map((part) => ({
    number: Number(textOf(part, 'PartNumber')),
    etag: textOf(part, 'ETag')?.replace(/^"|"$/g, ''),
  }));
  if (listed.length === 0) {
    throw new S3Error(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  }
  if (listed.some(({ number }, at) => at > 0 && number <= (listed[at - 1]?.number ?? 0))) {
    throw new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    );
  }
  return listed.map(({ number, etag }, at) => {
    const name = nameOfPart(id, number);
    const facts = objects.get(shelfOf(bucket), name);
    if (facts === undefined || facts.etag !== etag) {
      throw new S3Error(
        'InvalidPart',
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { elements: { UploadId: id, PartNumber: String(number), ETag: etag ?? '' } },
      );
    }
    if (at < listed.length - 1 && facts.size < minPartBytes) {
      throw new S3Error(
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
        { elements: { ProposedSize: String(facts.size), PartNumber: String(number) } },
      );
    }
    return { ...facts, name };
  });
}
