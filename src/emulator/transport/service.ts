import { messageOf } from '../../errors.ts';

/** An HTTP request as a service sees it, whatever its transport. */
export interface ServiceRequest {
  method: string;
  /** Without the query string, and normal: see `normalPath`. */
  path: string;
  /** The path as it was sent: keys in S3 may have empty or dotted segments. @default `path` */
  sentPath?: string;
  query: URLSearchParams;
  /** By name in lower case. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array | string;
  /** Whether it arrived by TLS, or would have. @default false */
  secure?: boolean;
  /** Aborted when the caller disconnects before it has the answer. */
  signal: AbortSignal;
  /** The connection that it arrived by. @default it was sent in this process */
  connection?: Connection;
}

/** A connection, which may carry many requests. */
export interface Connection {
  once(event: 'close', listener: () => void): unknown;
}

export interface ServiceResponse {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | string;
  /** Called when the answer can't reach the caller any more, to take back what it contains. */
  undelivered?: () => void;
}

/** A service never throws: its errors are responses. */
export interface Service {
  (request: ServiceRequest): ServiceResponse | Promise<ServiceResponse>;
  /**
   * Checks a request before its body arrives. A response refuses it, and its body is not read.
   * @default every request is admitted, and no caller is a stranger
   */
  readonly admit?: (head: ServiceRequest) => Admission | ServiceResponse;
}

/** A request that may send its body. */
export interface Admission {
  /** Whether the sender is still unknown. */
  readonly isStranger: boolean;
  /** Answers the request, whose body has arrived. */
  answer(request: ServiceRequest): ServiceResponse | Promise<ServiceResponse>;
}

/** A service for known callers only. */
export type SignedService = Service & Required<Pick<Service, 'admit'>>;

/** Calls the service. If it throws although it must not, the answer is a 500 instead of a crash. */
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

/** Lets the service check a request's head, with the same protection. */
export function admission(service: Service, head: ServiceRequest): Admission | ServiceResponse {
  if (service.admit === undefined) return { isStranger: false, answer: service };
  try {
    return service.admit(head);
  } catch (error) {
    return fault(error);
  }
}

function fault(error: unknown): ServiceResponse {
  const message = `The service failed because of a bug in it: ${messageOf(error)}`;
  return failure(500, 'InternalFailure', message);
}

/** An error that any SDK client understands, whatever its service. */
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
