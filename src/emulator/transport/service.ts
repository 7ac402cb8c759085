import { messageOf } from '../../errors.ts';

/** One HTTP request as a service sees it, whichever transport brought it. */
export interface ServiceRequest {
  method: string;
  /** Without the query string, and normal: see `normalPath`. */
  path: string;
  query: URLSearchParams;
  /** Names are lower-case. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | string;
  /** Whether it came by TLS, or would have. @default false */
  secure?: boolean;
  /** Aborted when the caller went away before it had the answer. */
  signal: AbortSignal;
}

export interface ServiceResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | string;
  /** Called when the answer came too late to reach the caller: what it handed out can be taken back. */
  undelivered?: () => void;
}

/** A service never throws: what went wrong is a response. */
export interface Service {
  (request: ServiceRequest): ServiceResponse | Promise<ServiceResponse>;
  /**
   * Looks at a request whose body is still to come. A response refuses it, and its body is not read.
   * @default every request is admitted, and nobody is a stranger
   */
  readonly admit?: (head: ServiceRequest) => Admission | ServiceResponse;
}

/** A request that may send its body. */
export interface Admission {
  /** Whether nothing shows yet who sent it. */
  readonly isStranger: boolean;
  /** Answers the request, whose body is there by now. */
  answer(request: ServiceRequest): ServiceResponse | Promise<ServiceResponse>;
}

/** A service for known callers alone. */
export type SignedService = Service & Required<Pick<Service, 'admit'>>;

/** Calls the service; should it break its word and throw, that is a 500 and not a crash. */
export function answer(
  service: Service | Admission['answer'],
  request: ServiceRequest,
): ServiceResponse | Promise<ServiceResponse> {
  try {
    const served = service(request);
    return served instanceof Promise ? served.catch(fault) : served;
  } catch (error) {
    return fault(error);
  }
}

/** Has the service look at a request's head, likewise. */
export function admission(service: Service, head: ServiceRequest): Admission | ServiceResponse {
  if (service.admit === undefined) return { isStranger: false, answer: service };
  try {
    return service.admit(head);
  } catch (error) {
    return fault(error);
  }
}

function fault(error: unknown): ServiceResponse {
  const message = `The service failed, which is a fault in it: ${messageOf(error)}`;
  return failure(500, 'InternalFailure', message);
}

/** A refusal that any SDK client understands, whichever service it is for. */
export function failure(status: number, type: string, message: string): ServiceResponse {
  return {
    status,
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-errortype': type,
      'x-amzn-query-error': `${type};${status < 500 ? 'Sender' : 'Receiver'}`,
    },
    body: JSON.stringify({ __type: type, message }),
  };
}
