import type { Middleware } from './middleware.ts';

interface Client {
  /** Milliseconds that the SDK adds to this machine's time when it signs requests. */
  config: { systemClockOffset?: number };
  middlewareStack: {
    add(middleware: Middleware, place: typeof EACH_CALL): void;
    add(middleware: Middleware, place: typeof EACH_REQUEST): void;
  };
}

/** Before a call is signed. */
const EACH_CALL = { step: 'build', name: 'fanfoldSigningTime' } as const;

/** Around each HTTP request and the reading of its answer, below the SDK's signer and retries. */
const EACH_REQUEST = { step: 'deserialize', priority: 'high', name: 'fanfoldClock' } as const;

/** A service's clock, as its clients know it. */
interface Clock {
  /** Its lead over this machine's clock, in milliseconds. */
  offsetMs: number;
}

const clocks = new WeakMap<object, Clock>();

/**
 * The wall-clock time of a service, in milliseconds since 1970. Use it for times that another
 * machine wrote, or will read. It is this machine's own time if no client is tracked, or none has
 * had an answer yet.
 *
 * @param service a client of it, or the place that `trackClock` was given
 */
export function serviceNow(service: object): number {
  return Date.now() + (clocks.get(service)?.offsetMs ?? 0);
}

/** AWS accepts the signatures of a clock that is off by less than this, in milliseconds. */
const SIGNING_MS = 240_000;

/**
 * Learns the service's time from the `date` header of each answer. The offset changes only when an
 * answer contradicts it, and then by little more than it must. A clock that is right is never
 * corrected, and one that is wrong ends within a second and a round trip of the service's.
 *
 * @param place the service's place: clients that are given the same object share what they learn
 */
export function trackClock<C extends Client>(client: C, place: object = client): C {
  const { config, middlewareStack } = client;
  const clock = clocks.get(place) ?? { offsetMs: 0 };
  clocks.set(place, clock).set(client, clock);
  middlewareStack.add(
    (next) => (call) => {
      config.systemClockOffset = clock.offsetMs;
      return next(call);
    },
    EACH_CALL,
  );
  middlewareStack.add(
    (next) => async (call) => {
      const { systemClockOffset: signedBy = 0 } = config;
      const note = noting(clock);
      try {
        const answer = await next(call);
        note((answer as Answered).response);
        return answer;
      } catch (error) {
        const { $response, $metadata } = error as Refused;
        note($response);
        if ($metadata) mark($metadata, Math.abs(clock.offsetMs - signedBy) >= SIGNING_MS);
        throw error;
      }
    },
    EACH_REQUEST,
  );
  return client;
}

/**
 * Marks whether a call was signed by a clock that has been corrected since: the SDK then repeats
 * it. The SDK's own mark, which this replaces, is on every error of a machine whose clock is off,
 * such as that of a wrong secret, and on none of a machine whose clock became right.
 */
function mark($metadata: object, isCorrected: boolean): void {
  Object.defineProperty($metadata, 'clockSkewCorrected', {
    get: () => isCorrected,
    set: () => {},
    enumerable: true,
  });
}

interface Response {
  headers?: Record<string, string>;
}

interface Answered {
  response?: Response;
}

interface Refused {
  $response?: Response;
  $metadata?: object;
}

/** Begins a request. Returns a function that learns from its answer. */
function noting(clock: Clock): (response: Response | undefined) => void {
  const sentAt = Date.now();
  const begunAt = performance.now();
  return (response) => {
    const date = dateOf(response);
    if (date === undefined) return;
    const receivedAt = Date.now();
    // Either clock may miss a part: the wall clock if it is set back, the other if the machine
    // sleeps.
    const tookMs = Math.max(receivedAt - sentAt, Math.ceil(performance.now() - begunAt));
    // The header omits the milliseconds, and the answer was written during the request: for a long
    // poll, most likely at its end.
    const least = date - receivedAt;
    const most = least + 1_000 + tookMs;
    if (clock.offsetMs < least) clock.offsetMs = least;
    if (clock.offsetMs > most) clock.offsetMs = least + 1_000;
  };
}

/** Time at which the service wrote its answer; undefined if not known. */
function dateOf({ headers = {} }: Response = {}): number | undefined {
  const { date = '', age } = headers;
  // A cached answer has an old date.
  if (age !== undefined) return undefined;
  const time = Date.parse(date);
  return Number.isNaN(time) ? undefined : time;
}
