import { hash } from 'node:crypto';
import type { ServiceResponse } from '../../transport/index.ts';
import { bodyOf, textOfBody } from '../body.ts';
import type { Action, Call } from '../call.ts';
import { checkWrite, isUnchanged, names, rangeOf } from '../conditions.ts';
import { noSuchKey, notImplemented, preconditionFailed, S3Error } from '../errors.ts';
import type { Facts } from '../storage.ts';
import { contentsOf, element, textElement, textOf, XML_HEAD } from '../xml.ts';

/** Largest content of a PutObject, and of a part. */
const MAX_BYTES = 5 * 1024 ** 3;

const MAX_KEYS_TO_DELETE = 1000;

/** Headers of a put that answers with the object repeat. */
const KEPT =
  /^(cache-control|content-disposition|content-encoding|content-language|expires|x-amz-meta-.*)$/;

const CHECKSUM = /^x-amz-checksum-/;

/** The headers that an object is kept with. */
export function headersToKeep(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) => KEPT.test(name));
  const all = { 'content-type': 'binary/octet-stream', ...Object.fromEntries(kept) };
  if (headers['content-type']) all['content-type'] = headers['content-type'];
  return withoutChunks(all);
}

/** `aws-chunked` is an encoding of the request, not of the object. */
function withoutChunks(headers: Record<string, string>): Record<string, string> {
  const { 'content-encoding': encoding, ...others } = headers;
  const own = (encoding ?? '').split(/\s*,\s*/).filter((one) => !/^(aws-chunked)?$/.test(one));
  return own.length > 0 ? { ...others, 'content-encoding': own.join(',') } : others;
}

export const putObject: Action = (call) => {
  const { request, bucket, key, objects, now } = call;
  const { bytes, checksums } = bodyOf(request);
  if (bytes.length > MAX_BYTES) {
    const message = 'Your proposed upload exceeds the maximum allowed size';
    throw new S3Error('EntityTooLarge', message);
  }
  checkWrite(call);
  const etag = hash('md5', bytes);
  const headers = { ...headersToKeep(request.headers), ...checksums };
  objects.put(bucket, key, { etag, size: bytes.length, modifiedAt: now, headers }, [bytes]);
  return { status: 200, headers: { etag: `"${etag}"`, ...typed(checksums) }, body: '' };
};

export const getObject: Action = (call) => answered(call, found(call));

export const headObject: Action = (call) => {
  const facts = found(call);
  const { headers, status } = answered(call, facts, false);
  return { status, headers, body: '' };
};

function found({ objects, bucket, key, check }: Call): Facts {
  const facts = objects.get(bucket, key);
  if (facts) return facts;
  // Without the right to list a bucket, nobody learns which keys are missing.
  check('s3:ListBucket');
  throw noSuchKey(key);
}

function answered(call: Call, facts: Facts, isWanted = true): ServiceResponse {
  const { request, bucket, key, objects } = call;
  const { etag, size, modifiedAt } = facts;
  const state = { etag: `"${etag}"`, 'last-modified': new Date(modifiedAt).toUTCString() };
  if (isUnchanged(call, facts)) return { status: 304, headers: state, body: '' };
  const range = rangeOf(request.headers.range, size);
  const { start, end } = range ?? { start: 0, end: size };
  const part = range && { 'content-range': `bytes ${start}-${end - 1}/${size}` };
  return {
    status: range ? 206 : 200,
    headers: {
      ...state,
      ...keptHeaders(call, facts, range !== undefined),
      ...part,
      'accept-ranges': 'bytes',
      'content-length': String(end - start),
    },
    body: isWanted ? objects.read(bucket, key, start, end) : '',
  };
}

/** Checksums are of the whole object, and only for callers that ask for them. */
function keptHeaders({ request }: Call, { headers }: Facts, isPart: boolean) {
  const isAsked = request.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED' && !isPart;
  const kept = Object.entries(headers).filter(([name]) => !CHECKSUM.test(name) || isAsked);
  return isAsked ? typed(Object.fromEntries(kept)) : Object.fromEntries(kept);
}

function typed(headers: Readonly<Record<string, string>>): Record<string, string> {
  if (!Object.keys(headers).some((name) => CHECKSUM.test(name))) return headers;
  return { ...headers, 'x-amz-checksum-type': 'FULL_OBJECT' };
}

export const deleteObject: Action = ({ request, bucket, key, objects }) => {
  const { 'if-match': etag } = request.headers;
  const facts = objects.get(bucket, key);
  if (etag !== undefined && facts && !names(etag, facts)) throw preconditionFailed('If-Match');
  objects.delete(bucket, key);
  return { status: 204, headers: {}, body: '' };
};

export const deleteObjects: Action = ({ request, bucket, objects }) => {
  const xml = textOfBody(request);
  const wanted = contentsOf(xml, 'Object');
  const keys = wanted.map((object) => textOf(object, 'Key') ?? '');
  if (keys.length === 0 || keys.length > MAX_KEYS_TO_DELETE || keys.includes('')) {
    throw new S3Error(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  }
  if (wanted.some((object) => contentsOf(object, 'ETag').length > 0)) {
    throw notImplemented('conditions in DeleteObjects');
  }
  for (const key of keys) objects.delete(bucket, key);
  const isQuiet = textOf(xml, 'Quiet') === 'true';
  const deleted = isQuiet ? [] : keys.map((key) => element('Deleted', textElement('Key', key)));
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `${XML_HEAD}${element('DeleteResult', deleted.join(''))}`,
  };
};
