import type { Service, ServiceRequest, ServiceResponse } from '../transport/index.ts';

/** Answers health checks, which need no signature. */
export function withHealth(service: Service): Service {
  return inFront(service, ({ method, path }) => {
    const isRead = method === 'GET' || method === 'HEAD';
    if (isRead && path === '/health') return answer(200, '{"status":"ok"}', 'application/json');
    return method === 'HEAD' && path === '/' ? answer(200, '', 'text/plain') : undefined;
  });
}

/**
 * Puts a filter in front of a service, which still checks requests before their bodies are read.
 *
 * @param first answers a request before the service sees it
 * @param after changes the service's own answer
 */
function inFront(
  service: Service,
  first: (request: ServiceRequest) => ServiceResponse | undefined,
  after = (response: ServiceResponse, _request: ServiceRequest) => response,
): Service {
  const changed = (answered: ReturnType<Service>, request: ServiceRequest) =>
    answered instanceof Promise
      ? answered.then((response) => after(response, request))
      : after(answered, request);
  const whole: Service = (request) => first(request) ?? changed(service(request), request);
  const { admit } = service;
  if (admit === undefined) return whole;
  return Object.assign(whole, {
    admit(head: ServiceRequest) {
      const early = first(head);
      if (early) return early;
      const admitted = admit(head);
      if ('status' in admitted) return after(admitted, head);
      const answered = (request: ServiceRequest) => changed(admitted.answer(request), request);
      return { isStranger: admitted.isStranger, answer: answered };
    },
  });
}

/** Headers that SDKs in a browser send, besides those that every page may send. */
const SENT = [
  'amz-sdk-invocation-id',
  'amz-sdk-request',
  'authorization',
  'content-type',
  'smithy-protocol',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-target',
  'x-amz-user-agent',
  'x-amzn-query-mode',
  'x-amzn-trace-id',
].join(',');

/** Headers of an answer that SDKs read, and that browsers hide from pages by default. */
const EXPOSED = 'date,x-amzn-errortype,x-amzn-query-error,x-amzn-requestid';

/** Time for which a browser can reuse the answer to a preflight request, in seconds. */
const MAX_AGE_SECONDS = '7200';

/**
 * Lets pages of other origins call the service from a browser.
 *
 * @param origins such as `http://localhost:5173`; `*` allows all
 */
export function withCors(service: Service, origins: readonly string[]): Service {
  const headersFor = corsHeaders(origins);
  return inFront(
    service,
    (request) => {
      const headers = isPreflight(request) ? headersFor(request) : undefined;
      return headers && preflight(request, headers);
    },
    (response, request) => ({
      ...response,
      headers: { ...response.headers, ...headersFor(request) },
    }),
  );
}

/** Returns the CORS headers of an answer; undefined for a request without an Origin. */
function corsHeaders(origins: readonly string[]) {
  const all = origins.includes('*');
  return ({ headers: { origin } }: ServiceRequest): Record<string, string> | undefined => {
    if (origin === undefined) return undefined;
    if (!all && !origins.includes(origin)) return { vary: 'Origin' };
    return {
      'access-control-allow-origin': all ? '*' : origin,
      'access-control-expose-headers': EXPOSED,
      ...(all ? {} : { vary: 'Origin' }),
    };
  };
}

function isPreflight({ method, headers }: ServiceRequest): boolean {
  return method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;
}

function preflight(request: ServiceRequest, headers: Record<string, string>): ServiceResponse {
  if (headers['access-control-allow-origin'] === undefined) {
    const { origin } = request.headers;
    return answer(
      403,
      `Web pages of ${origin} are not allowed to use this server.\n`,
      'text/plain',
      headers,
    );
  }
  const isPrivate = request.headers['access-control-request-private-network'] !== undefined;
  return answer(200, '', 'text/plain', {
    ...headers,
    'access-control-allow-methods': 'GET,HEAD,POST',
    'access-control-allow-headers': request.headers['access-control-request-headers'] ?? SENT,
    'access-control-max-age': MAX_AGE_SECONDS,
    ...(isPrivate ? { 'access-control-allow-private-network': 'true' } : {}),
  });
}

function answer(
  status: number,
  body: string,
  type: string,
  more: Record<string, string> = {},
): ServiceResponse {
  return { status, headers: { 'content-type': type, ...more }, body };
}
