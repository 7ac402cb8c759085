import type { Call } from './call.ts';
import { noSuchKey, notImplemented, preconditionFailed, S3Error } from './errors.ts';
import type { Facts } from './storage.ts';

/**
 * Compares and swaps: the object may be written only if it is as the request says.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function checkWrite({ request: { headers }, objects, bucket, key, check }: Call): void {
  const { 'if-match': etag, 'if-none-match': none } = headers;
  const found = objects.get(bucket, key);
  if (none !== undefined) {
    if (none !== '*') throw notImplemented('If-None-Match in writes, except for *');
    if (found) throw preconditionFailed('If-None-Match');
  }
  if (etag === undefined) return;
  // S3 requires it, since the answer tells something of the object's content.
  check('s3:GetObject');
  if (found === undefined) throw noSuchKey(key);
  if (!names(etag, found)) throw preconditionFailed('If-Match');
}

/** Whether the caller has the object already. */
export function isUnchanged({ request: { headers } }: Call, found: Facts): boolean {
  const { 'if-match': etag, 'if-none-match': other } = headers;
  if (etag !== undefined && !names(etag, found)) throw preconditionFailed('If-Match');
  return other !== undefined && names(other, found);
}

/** Whether a condition names an object's version, with or without quotes. */
export function names(condition: string, { etag }: Facts): boolean {
  return condition === '*' || condition.replace(/^"|"$/g, '') === etag;
}

/** The bytes that a request wants, from `start` up to, and without, `end`; undefined for all. */
export function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  // A last byte before the first one is no range, so that the whole object is the answer.
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start < end) return { start, end };
  throw new S3Error('InvalidRange', 'The requested range is not satisfiable', {
    elements: { ActualObjectSize: String(size), RangeRequested: header ?? '' },
    headers: { 'content-range': `bytes */${size}` },
  });
}
