/** Without an empty or a dotted segment. */
const PLAIN = /^(?:\/(?!\.{1,2}(?:\/|$)|\/)[^/]*)+$/;

/**
 * A request's path as everything here reads it, signatures and routes alike: without segments that
 * lead nowhere. As in AWS's signatures, `%2e` and `%2f` are no dots and no slashes.
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

/** Path and query of a request's target, which may be a whole URL: that is what proxies are sent. */
export function splitTarget(target: string): { path: string; query: string } {
  const local = target.startsWith('/')
    ? target
    : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?]*/i, '');
  const at = local.indexOf('?');
  if (at < 0) return { path: normalPath(local), query: '' };
  return { path: normalPath(local.slice(0, at)), query: local.slice(at + 1) };
}
