/**
 * What a run remembers of its inputs, so that one that continues it can tell whether they are the
 * same: of inputs that a caller seeds, a hash of those that were read; of an object in S3, its ETag.
 */
export type InputsMark = { read: number; sha256: string } | { etag: string };

/** A mark as text that AWS allows in a tag. */
export function markText(mark: InputsMark): string {
  return 'etag' in mark ? `etag=${mark.etag}` : `read=${mark.read} sha256=${mark.sha256}`;
}

/** The mark in a tag; undefined if it holds none. */
export function markOf(text: string | undefined): InputsMark | undefined {
  const [, etag, read, sha256] =
    /^(?:etag=([\w.:/=+@-]+)|read=(\d{1,10}) sha256=([\w-]{43}))$/.exec(text ?? '') ?? [];
  if (etag !== undefined) return { etag };
  return sha256 === undefined ? undefined : { read: Number(read), sha256 };
}

/** The mark of an object; undefined if its ETag is not of the usual form. */
export function markOfObject(etag: string): InputsMark | undefined {
  return markOf(`etag=${etag.replaceAll('"', '')}`);
}
