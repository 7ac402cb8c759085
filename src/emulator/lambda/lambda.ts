import { randomUUID } from 'node:crypto';
import { FanfoldError, messageOf } from '../../errors.ts';
import {
  type Credentials,
  SignatureError,
  type SignatureFault,
  signedService,
  Verifier,
} from '../auth/index.ts';
import type {
  Service,
  ServiceRequest,
  ServiceResponse,
  SignedService,
} from '../transport/index.ts';
import { errorResponse, LambdaError } from './errors.ts';
import { EventSource, type EventSourceOptions } from './event-source.ts';
import { type FunctionOptions, type Handler, LambdaFunction } from './function.ts';
import {
  ASYNC_RETRY_MS,
  ASYNC_THROTTLED_CAP_MS,
  ASYNC_THROTTLED_MS,
  MAX_ASYNC_PAYLOAD_BYTES,
  MAX_SYNC_PAYLOAD_BYTES,
} from './limits.ts';

export interface LambdaOptions {
  /** @default '000000000000' */
  accountId?: string;
  /** @default 'us-east-1' */
  region?: string;
}

/** An asynchronous invocation that was accepted. */
interface Accepted {
  target: LambdaFunction;
  event: unknown;
  requestId: string;
  /** Milliseconds since 1970. */
  acceptedAt: number;
  /** Number of failed attempts. */
  failures: number;
  /** Number of throttled attempts since the last failed one. */
  throttles: number;
}

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/**
 * A Lambda in this process. Functions are handlers, which run when they are invoked or when their
 * event source has messages for them. Give `service` to an SDK client (`createLambdaClient` does)
 * or serve it on a port.
 */
export class Lambda {
  readonly region: string;
  readonly #accountId: string;
  readonly #functions = new Map<string, LambdaFunction>();
  readonly #sources = new Set<EventSource>();
  readonly #retries = new Set<ReturnType<typeof setTimeout>>();
  #closed = false;

  constructor({ accountId = '000000000000', region = 'us-east-1' }: LambdaOptions = {}) {
    this.#accountId = accountId;
    this.region = region;
  }

  /** Adds a function, or replaces the code of an existing one. */
  addFunction(name: string, handler: Handler, options: FunctionOptions = {}): void {
    this.#functions.set(name, new LambdaFunction(name, this.#arn(name), handler, options));
  }

  /** Passes a queue's messages to a function, like Lambda's SQS event source. */
  addSqsEventSource(functionName: string, options: EventSourceOptions): EventSource {
    const target = () => {
      const found = this.#functions.get(functionName);
      if (found) return found;
      throw new FanfoldError('BadOption', `There is no function named "${functionName}".`);
    };
    // A wrong name is refused now, not when messages arrive.
    target();
    const source = new EventSource(target, this.region, options);
    this.#sources.add(source);
    return source;
  }

  /** Ends all event sources; running invocations can finish. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const retry of this.#retries) clearTimeout(retry);
    await Promise.all(Array.from(this.#sources, (source) => source.close()));
  }

  /** Answers requests of any caller, as Lambda does. */
  readonly service: Service = (request) => this.#answer(request);

  /** A service that accepts only requests that are signed with one of the keys. */
  signedService(credentials: readonly Credentials[]): SignedService {
    const verifier = new Verifier({ credentials, region: this.region, service: 'lambda' });
    return signedService(verifier, this.service, (error) => refusal(error, randomUUID()));
  }

  async #answer(request: ServiceRequest): Promise<ServiceResponse> {
    const requestId = randomUUID();
    try {
      return await this.#invoke(request, requestId);
    } catch (error) {
      return refusal(error, requestId);
    }
  }

  async #invoke(request: ServiceRequest, requestId: string): Promise<ServiceResponse> {
    const [, encoded] = INVOKE.exec(request.path) ?? [];
    if (request.method !== 'POST' || encoded === undefined) {
      throw new LambdaError(
        404,
        'UnknownOperationException',
        `This Lambda supports only the action Invoke; got ${request.method} ${request.path}.`,
      );
    }
    const target = this.#find(decoded(encoded));
    const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
    const event = eventOf(request, type);
    const headers = { 'x-amzn-requestid': requestId, 'x-amz-executed-version': '$LATEST' };
    if (type === 'DryRun') return { status: 204, headers, body: '' };
    if (type === 'Event') {
      const acceptedAt = performance.now();
      this.#run({ target, event, requestId, acceptedAt, failures: 0, throttles: 0 });
      return { status: 202, headers, body: '' };
    }
    if (target.throttled) {
      throw new LambdaError(429, 'TooManyRequestsException', 'Rate Exceeded.');
    }
    const { payload: body, failed } = await target.invoke(event, requestId);
    const fault = failed ? { 'x-amz-function-error': 'Unhandled' } : {};
    return {
      status: 200,
      headers: { ...headers, ...fault, 'content-type': 'application/json' },
      body,
    };
  }

  /** Runs an invocation without waiting for it, and retries a failed or throttled one later. */
  #run(accepted: Accepted): void {
    const { target, event, requestId, failures, throttles } = accepted;
    if (target.throttled) {
      const delayMs = Math.min(ASYNC_THROTTLED_CAP_MS, ASYNC_THROTTLED_MS * 2 ** throttles);
      this.#runLater({ ...accepted, throttles: throttles + 1 }, delayMs);
      return;
    }
    // Each attempt gets its own copy, since a handler may change its event.
    void target.invoke(structuredClone(event), requestId).then(({ failed }) => {
      const delayMs = ASYNC_RETRY_MS[failures];
      if (!failed || delayMs === undefined || failures >= target.maxRetryAttempts) return;
      this.#runLater({ ...accepted, failures: failures + 1, throttles: 0 }, delayMs);
    });
  }

  #runLater(accepted: Accepted, delayMs: number): void {
    const { target, acceptedAt } = accepted;
    if (this.#closed || performance.now() + delayMs > acceptedAt + target.maxEventAgeMs) return;
    const retry = setTimeout(() => {
      this.#retries.delete(retry);
      this.#run(accepted);
    }, delayMs);
    this.#retries.add(retry);
  }

  /** A function by its name or its ARN, with or without a version. */
  #find(nameOrArn: string): LambdaFunction {
    const name = nameOrArn.replace(/^.*:function:/, '').replace(/:.*$/, '');
    const found = this.#functions.get(name);
    if (found) return found;
    throw new LambdaError(
      404,
      'ResourceNotFoundException',
      `Function not found: ${this.#arn(name)}`,
    );
  }

  #arn(name: string): string {
    return `arn:aws:lambda:${this.region}:${this.#accountId}:function:${name}`;
  }
}

/** Lambda's error names: https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html */
const REFUSALS: Record<SignatureFault, [status: number, type: string]> = {
  missing: [403, 'MissingAuthenticationTokenException'],
  unknownKey: [403, 'UnrecognizedClientException'],
  mismatch: [403, 'InvalidSignatureException'],
  malformed: [400, 'IncompleteSignatureException'],
};

function refusal(error: unknown, requestId: string): ServiceResponse {
  if (error instanceof LambdaError) return errorResponse(error, requestId);
  if (!(error instanceof SignatureError)) throw error;
  const [status, type] = REFUSALS[error.fault];
  return errorResponse(new LambdaError(status, type, error.message), requestId);
}

/** A text that can't be decoded is not the name of a function. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function eventOf({ body }: ServiceRequest, type: string): unknown {
  const bytes = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
  const limit = type === 'Event' ? MAX_ASYNC_PAYLOAD_BYTES : MAX_SYNC_PAYLOAD_BYTES;
  if (bytes > limit) {
    throw new LambdaError(
      413,
      'RequestTooLargeException',
      `${bytes} byte payload is too large for the ${type} invocation type (limit ${limit} bytes)`,
    );
  }
  if (bytes === 0) return {};
  const text =
    typeof body === 'string'
      ? body
      : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new LambdaError(
      400,
      'InvalidRequestContentException',
      `Could not parse request body into json: ${messageOf(error)}`,
    );
  }
}
