/** A path without empty or dotted segments. */
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$)|\/)[^/]*)+$/;

/**
 * A request's path in the form that signatures and routes use: without empty or dotted segments. As
 * in AWS's signatures, `%2e` and `%2f` don't count as dots and slashes.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function normalPath(path: string): string {
  if (PLAIN.test(path)) return path;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const end = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${segments.join('/')}${end}`;
}

/**
 * Path and query of a request's target, which is a whole URL in requests to proxies.
 *
 * @returns the path as it was sent, which need not be normal
 */
export function splitTarget(target: string): { sentPath: string; query: string } {
  const local = target.startsWith('/')
    ? target
    : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '');
  const at = local.indexOf('?');
  if (at < 0) return { sentPath: local, query: '' };
  return { sentPath: local.slice(0, at), query: local.slice(at + 1) };
}
