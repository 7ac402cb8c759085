import type { ServiceRequest } from '../transport/index.ts';

interface Signed {
  readonly headers: readonly string[];
  readonly bodyHash: string;
  /** True if the signature is in the query string. @default false */
  readonly presigned?: boolean;
  /** True if the service is S3, which signs paths in its own way. @default false */
  readonly isS3?: boolean;
}

/**
 * The canonical text of a request, which is signed. Returns `undefined` if a header that is listed
 * as signed is missing. The path must be normal.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequest(
  { method, path, sentPath = path, query, headers }: ServiceRequest,
  { headers: signedHeaders, bodyHash, presigned = false, isS3 = false }: Signed,
): string | undefined {
  const signedPath = isS3 ? pathForS3(sentPath) : canonicalPath(path);
  let text = `${method}\n${signedPath}\n${canonicalQuery(query, presigned)}\n`;
  for (const name of signedHeaders) {
    const value = headers[name];
    // Not only undefined: every object has a property named "constructor".
    if (typeof value !== 'string') return undefined;
    text += `${name}:${canonicalValue(value)}\n`;
  }
  return `${text}\n${signedHeaders.join(';')}\n${bodyHash}`;
}

/** A path without characters that must be encoded. */
const PLAIN_PATH = /^[\w.~/-]*$/;

/** The path as received, encoded once more. */
function canonicalPath(path: string): string {
  return PLAIN_PATH.test(path) ? path : path.split('/').map(encode).join('/');
}

/** The path as received, not normal: encoded once, in the one way that signers use. */
function pathForS3(path: string): string {
  if (PLAIN_PATH.test(path)) return path;
  return path.split('/').map(encodedOnce).join('/');
}

function encodedOnce(segment: string): string {
  try {
    return encode(decodeURIComponent(segment));
  } catch {
    return segment;
  }
}

/**
 * The query, encoded anew from its decoded form: the service treats `+` and `%20` as the same, so
 * the signature must do so, too.
 */
function canonicalQuery(query: URLSearchParams, presigned: boolean): string {
  if (query.size === 0) return '';
  const pairs: [name: string, value: string][] = [];
  for (const [name, value] of query) {
    if (!(presigned && name === 'X-Amz-Signature')) pairs.push([encode(name), encode(value)]);
  }
  pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

const UNTIDY = /^ | $| {2}|[\t\r\n]/;

/** Not `trim`: signers don't treat a no-break space as a space. */
function canonicalValue(value: string): string {
  if (!UNTIDY.test(value)) return value;
  return value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '');
}

/** RFC 3986: encodeURIComponent leaves out five characters that must be encoded. */
function encode(text: string): string {
  // encodeURIComponent throws on half of a surrogate pair, which no HTTP request can contain.
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, hex);
}

function hex(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
