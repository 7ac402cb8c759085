import type { ServiceRequest, ServiceResponse } from '../../emulator/transport/index.ts';

/** Payload that is billed as one request: 64 KiB. https://aws.amazon.com/sqs/pricing/ */
const BILLED_BYTES = 65_536;

/** Calls of one kind, such as ReceiveMessage by the collector. */
export interface Calls {
  calls: number;
  /** Number of requests that AWS bills for them. */
  billed: number;
}

/** Invocations of one function. */
export interface Invocations {
  count: number;
  /** Billed milliseconds, rounded up for each invocation. */
  ms: number;
}

/** Counts the calls, invocations and bytes that AWS would bill for a deployment. */
export class Bill {
  /** Calls by caller and action. */
  readonly sqs = new Map<string, Calls>();
  /** Invocations by function name. */
  readonly lambda = new Map<string, Invocations>();
  /** Bytes that leave AWS: the responses to the collector. */
  egressBytes = 0;
  /** Bytes that functions log. */
  logBytes = 0;

  /** @param caller such as `collector`, which is outside AWS */
  addCall(caller: string, request: ServiceRequest, response: ServiceResponse): void {
    // The JSON protocol has the action in a header, CBOR in the path.
    const action = /\w+$/.exec(request.headers['x-amz-target'] ?? request.path)?.[0];
    const [sent, received] = [request.body, response.body].map((body) => Buffer.byteLength(body));
    const bytes = Math.max(sent ?? 0, received ?? 0);
    const calls = entry(this.sqs, `${caller} ${action}`, { calls: 0, billed: 0 });
    calls.calls++;
    calls.billed += Math.max(1, Math.ceil(bytes / BILLED_BYTES));
    if (caller === 'collector') this.egressBytes += received ?? 0;
  }

  addInvocation(name: string, ms: number): void {
    const invocations = entry(this.lambda, name, { count: 0, ms: 0 });
    invocations.count++;
    invocations.ms += Math.ceil(ms);
  }

  /** Billed requests whose kind matches. */
  requests(kind = /./): number {
    let sum = 0;
    for (const [name, { billed }] of this.sqs) if (kind.test(name)) sum += billed;
    return sum;
  }

  get invocations(): number {
    return [...this.lambda.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** Milliseconds of all functions. */
  get ms(): number {
    return [...this.lambda.values()].reduce((sum, { ms }) => sum + ms, 0);
  }
}

function entry<T>(map: Map<string, T>, key: string, first: T): T {
  const found = map.get(key) ?? first;
  map.set(key, found);
  return found;
}
