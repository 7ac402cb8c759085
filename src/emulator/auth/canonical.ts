import type { ServiceRequest } from '../transport/index.ts';

/**
 * The text of a request that is signed, as every service but S3 has it; `undefined` if a header
 * that is said to be signed isn't there. The path must be normal.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequest(
  { method, path, query, headers }: ServiceRequest,
  signedHeaders: readonly string[],
  bodyHash: string,
  presigned: boolean,
): string | undefined {
  let text = `${method}\n${canonicalPath(path)}\n${canonicalQuery(query, presigned)}\n`;
  for (const name of signedHeaders) {
    const value = headers[name];
    // Not only undefined: a header named "constructor" is found in every object.
    if (typeof value !== 'string') return undefined;
    text += `${name}:${canonicalValue(value)}\n`;
  }
  return `${text}\n${signedHeaders.join(';')}\n${bodyHash}`;
}

/** Without anything that must be encoded. */
const PLAIN_PATH = /^[\w.~/-]*$/;

/** The path as it came, encoded once more. */
function canonicalPath(path: string): string {
  return PLAIN_PATH.test(path) ? path : path.split('/').map(encode).join('/');
}

/**
 * Encoded anew from what it was decoded to: `+` and `%20` are the same to the service, so they are
 * the same here.
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

/** Not `trim`: a no-break space is no space to the signers. */
function canonicalValue(value: string): string {
  if (!UNTIDY.test(value)) return value;
  return value.replace(/[ \t\r\n]+/g, ' ').replace(/^ | $/g, '');
}

/** RFC 3986: encodeURIComponent leaves five characters alone that are to be encoded. */
function encode(text: string): string {
  // Half of a surrogate pair, which no HTTP request can hold, would be thrown at.
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, hex);
}

function hex(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
