import { randomBytes } from 'node:crypto';
import { checkWhole, messageOf } from '../../errors.ts';
import {
  ASYNC_AGE_MS,
  ASYNC_RETRY_MS,
  CONCURRENCY,
  MAX_SYNC_PAYLOAD_BYTES,
  MIN_ASYNC_AGE_MS,
} from './limits.ts';

/** The part of Lambda's context object that is emulated. */
export interface Context {
  readonly awsRequestId: string;
  readonly functionName: string;
  readonly functionVersion: '$LATEST';
  readonly invokedFunctionArn: string;
  readonly memoryLimitInMB: string;
  readonly logGroupName: string;
  /** Unique to each execution environment. */
  readonly logStreamName: string;
  getRemainingTimeInMillis(): number;
}

/** A function's code. */
export type Handler = (event: unknown, context: Context) => Promise<unknown>;

export interface FunctionOptions {
  /** @default 3, as on Lambda */
  timeoutSeconds?: number;
  /** Reported to the handler; the memory is not limited. @default 128 */
  memoryMb?: number;
  /** Most concurrent invocations: more are throttled; with 0, all. @default 1000, an account's */
  concurrency?: number;
  /** Retries of an asynchronous invocation that failed: 0 to 2. @default 2 */
  maxRetryAttempts?: number;
  /**
   * Longest time between the acceptance of an asynchronous invocation and its start, in seconds: 60
   * to 21600.
   * @default 21600, six hours
   */
  maxEventAgeSeconds?: number;
}

/** The outcome of an invocation. The payload is JSON text. */
export interface Invoked {
  readonly payload: string;
  /** Whether the payload is the error of the function. */
  readonly failed: boolean;
}

const MAX_AGE = ASYNC_AGE_MS / 1000;

/**
 * A function and its execution environments. An environment serves one invocation at a time, and is
 * then reused, the most recent one first.
 */
export class LambdaFunction {
  readonly name: string;
  readonly arn: string;
  readonly maxRetryAttempts: number;
  readonly maxEventAgeMs: number;
  readonly #handler: Handler;
  readonly #timeoutMs: number;
  readonly #memoryMb: number;
  readonly #concurrency: number;
  readonly #free: string[] = [];
  #running = 0;

  constructor(name: string, arn: string, handler: Handler, options: FunctionOptions) {
    const { timeoutSeconds = 3, memoryMb = 128, concurrency = CONCURRENCY } = options;
    const { maxRetryAttempts = ASYNC_RETRY_MS.length, maxEventAgeSeconds = MAX_AGE } = options;
    checkWhole('maxRetryAttempts', maxRetryAttempts, 0, ASYNC_RETRY_MS.length);
    checkWhole('maxEventAgeSeconds', maxEventAgeSeconds, MIN_ASYNC_AGE_MS / 1000, MAX_AGE);
    this.name = name;
    this.arn = arn;
    this.maxRetryAttempts = maxRetryAttempts;
    this.maxEventAgeMs = maxEventAgeSeconds * 1000;
    this.#handler = handler;
    this.#timeoutMs = timeoutSeconds * 1000;
    this.#memoryMb = memoryMb;
    this.#concurrency = concurrency;
  }

  /** Whether another invocation would exceed the concurrency. */
  get throttled(): boolean {
    return this.#running >= this.#concurrency;
  }

  /** @param event a copy for the handler, which may change it */
  async invoke(event: unknown, requestId: string): Promise<Invoked> {
    const logStreamName = this.#free.pop() ?? newLogStream();
    const context = this.#context(requestId, logStreamName);
    this.#running++;
    try {
      return await this.#run(event, context);
    } finally {
      this.#running--;
      // After a timeout, the handler may still be running.
      if (context.getRemainingTimeInMillis() > 0) this.#free.push(logStreamName);
    }
  }

  async #run(event: unknown, context: Context): Promise<Invoked> {
    const seconds = (this.#timeoutMs / 1000).toFixed(2);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timedOut = new Promise<Invoked>((resolve) => {
      timer = setTimeout(() => {
        const { awsRequestId } = context;
        const errorMessage = `${new Date().toISOString()} ${awsRequestId} Task timed out after ${seconds} seconds`;
        resolve(failed({ errorType: 'Sandbox.Timedout', errorMessage }));
      }, this.#timeoutMs);
    });
    // In an async function, since a handler that is not async may throw synchronously.
    const run = async () => this.#handler(event, context);
    try {
      return await Promise.race([run().then(succeeded, threw), timedOut]);
    } finally {
      clearTimeout(timer);
    }
  }

  #context(awsRequestId: string, logStreamName: string): Context {
    const deadline = performance.now() + this.#timeoutMs;
    return {
      awsRequestId,
      functionName: this.name,
      functionVersion: '$LATEST',
      invokedFunctionArn: this.arn,
      memoryLimitInMB: String(this.#memoryMb),
      logGroupName: `/aws/lambda/${this.name}`,
      logStreamName,
      getRemainingTimeInMillis: () => Math.max(0, Math.floor(deadline - performance.now())),
    };
  }
}

function newLogStream(): string {
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return `${day}/[$LATEST]${randomBytes(16).toString('hex')}`;
}

interface FunctionFault {
  errorType: string;
  errorMessage: string;
  trace?: string[];
}

function failed(fault: FunctionFault): Invoked {
  return { payload: JSON.stringify(fault), failed: true };
}

function succeeded(returned: unknown): Invoked {
  let payload: string | undefined;
  try {
    payload = JSON.stringify(returned) ?? 'null';
  } catch (error) {
    const errorMessage = `Unable to stringify response body: ${messageOf(error)}`;
    return failed({ errorType: 'Runtime.MarshalError', errorMessage });
  }
  const bytes = Buffer.byteLength(payload);
  if (bytes <= MAX_SYNC_PAYLOAD_BYTES) return { payload, failed: false };
  return failed({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${MAX_SYNC_PAYLOAD_BYTES} bytes).`,
  });
}

function threw(thrown: unknown): Invoked {
  try {
    if (!(thrown instanceof Error)) {
      return failed({ errorType: typeof thrown, errorMessage: String(thrown), trace: [] });
    }
    const { name: errorType, message: errorMessage, stack = '' } = thrown;
    return failed({ errorType, errorMessage, trace: stack.split('\n') });
  } catch {
    const errorMessage = 'The function threw a value whose name, message and stack cannot be read.';
    return failed({ errorType: 'handled', errorMessage, trace: [] });
  }
}
