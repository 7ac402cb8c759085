import type { Action, Call } from '../call.ts';
import { notImplemented, S3Error } from '../errors.ts';
import { compareKeys, type Objects } from '../objects.ts';
import { element, textElement, XML_HEAD } from '../xml.ts';

/** Most keys that a page has. */
const MAX_KEYS = 1000;

/** Comes after all that a key can end with: it is the last character, more often than one can have it. */
const AFTER_ALL = '\u{10ffff}'.repeat(257);

interface Page {
  keys: string[];
  /** Parts of keys up to the delimiter, each for all keys that begin with it. */
  commonPrefixes: string[];
  /** The first key of the next page; undefined at the end. */
  next: string | undefined;
}

export const listObjects: Action = (call) => {
  const { query } = call.request;
  if (query.get('list-type') !== '2') throw notImplemented('ListObjects: use ListObjectsV2');
  const text = (name: string) => query.get(name) ?? undefined;
  const prefix = text('prefix') ?? '';
  const delimiter = text('delimiter') || undefined;
  const token = text('continuation-token');
  const after = text('start-after');
  const limit = pageSizeOf(text('max-keys'));
  const from = token === undefined ? `${after ?? ''}${after ? '\0' : ''}` : keyOf(token);
  const page = pageOf(call, { prefix, delimiter, from, limit });
  const name = text('encoding-type') === 'url' ? urlElement : textElement;
  const next = page.next === undefined ? undefined : tokenOf(page.next);
  const xml = [
    textElement('Name', call.bucket),
    name('Prefix', prefix),
    ...(after === undefined ? [] : [name('StartAfter', after)]),
    ...(delimiter === undefined ? [] : [name('Delimiter', delimiter)]),
    textElement('MaxKeys', limit),
    textElement('KeyCount', page.keys.length + page.commonPrefixes.length),
    textElement('IsTruncated', next !== undefined),
    ...(name === urlElement ? [textElement('EncodingType', 'url')] : []),
    ...(token === undefined ? [] : [textElement('ContinuationToken', token)]),
    ...(next === undefined ? [] : [textElement('NextContinuationToken', next)]),
    ...page.keys.map((key) => listed(call.objects, call.bucket, key, name)),
    ...page.commonPrefixes.map((one) => element('CommonPrefixes', name('Prefix', one))),
  ];
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: `${XML_HEAD}${element('ListBucketResult', xml.join(''))}`,
  };
};

function pageOf(
  { objects, bucket }: Call,
  wanted: { prefix: string; delimiter: string | undefined; from: string; limit: number },
): Page {
  const { prefix, delimiter, limit } = wanted;
  const page: Page = { keys: [], commonPrefixes: [], next: undefined };
  let key = objects.firstFrom(bucket, compareKeys(wanted.from, prefix) > 0 ? wanted.from : prefix);
  while (key?.startsWith(prefix)) {
    if (page.keys.length + page.commonPrefixes.length >= limit) {
      page.next = limit === 0 ? undefined : key;
      return page;
    }
    const at = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
    if (delimiter === undefined || at < 0) {
      page.keys.push(key);
      key = objects.firstFrom(bucket, `${key}\0`);
    } else {
      const common = key.slice(0, at + delimiter.length);
      page.commonPrefixes.push(common);
      key = objects.firstFrom(bucket, `${common}${AFTER_ALL}`);
    }
  }
  return page;
}

function pageSizeOf(text: string | undefined): number {
  if (text === undefined) return MAX_KEYS;
  if (/^\d{1,10}$/.test(text)) return Math.min(MAX_KEYS, Number(text));
  throw new S3Error('InvalidArgument', 'Provided max-keys not an integer or within integer range');
}

function tokenOf(key: string): string {
  return Buffer.from(key).toString('base64url');
}

function keyOf(token: string): string {
  const key = Buffer.from(token, 'base64url').toString();
  if (token !== '' && tokenOf(key) === token) return key;
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
}

function listed(objects: Objects, bucket: string, key: string, name: typeof textElement): string {
  const facts = objects.get(bucket, key);
  if (facts === undefined) return '';
  const texts = [
    name('Key', key),
    textElement('LastModified', new Date(facts.modifiedAt).toISOString()),
    textElement('ETag', `"${facts.etag}"`),
    textElement('Size', facts.size),
    textElement('StorageClass', 'STANDARD'),
  ];
  return element('Contents', texts.join(''));
}

function urlElement(name: string, text: string | number | boolean): string {
  return textElement(name, encodeURIComponent(text).replaceAll('%2F', '/'));
}
