import { FanfoldError, valueText } from './errors.ts';

const SECONDS = Symbol.for('fanfold.retryLater');

/**
 * Shortest wait of a `RetryLater`, SQS's shortest delay: an attempt that does not count must not
 * repeat without a pause.
 */
export const SHORTEST_LATER_SECONDS = 1;

/** Longest wait of a `RetryLater`, 12 hours. */
export const LONGEST_LATER_SECONDS = 43_200;

/**
 * The part of an HTTP response that `RetryLater.from` reads: of `fetch`, or of a client whose headers
 * are an object with names in lower case, as those of `node:http` are.
 */
interface HttpResponse {
  readonly status?: number | undefined;
  readonly statusCode?: number | undefined;
  readonly headers: { get(name: string): unknown } | Readonly<Record<string, unknown>>;
}

/**
 * Throw it in a task when the world is busy, not broken: the input waits, and runs again. The
 * attempt does not count as one of `maxAttempts`, and the wait ends at the run's deadline at the
 * latest.
 *
 * ```ts
 * if (response.status === 429) throw RetryLater.from(response);
 * ```
 */
export class RetryLater extends Error {
  override readonly name: string = 'RetryLater';
  readonly [SECONDS]: number;

  /**
   * @param seconds time until the input runs again: 0 to 43200, 12 hours; less than 1 waits for 1 s
   * @throws FanfoldError `BadOption` when `seconds` is out of range
   */
  constructor(seconds: number, message = `Retry in ${seconds} s.`, options?: ErrorOptions) {
    super(message, options);
    if (!isDelay(seconds)) {
      throw new FanfoldError(
        'BadOption',
        `RetryLater expects a number of seconds from 0 to ${LONGEST_LATER_SECONDS}; got ${valueText(seconds)}.`,
      );
    }
    this[SECONDS] = seconds;
  }

  /**
   * Takes the time from a response's `Retry-After` header, in seconds or as a date, up to 12 hours.
   * A date in the past waits for 1 s.
   *
   * @param otherwiseSeconds used when the response has no such header, or a malformed one
   * @throws FanfoldError `BadOption` for anything but a response
   */
  static from(response: HttpResponse, otherwiseSeconds = 1): RetryLater {
    const { status, statusCode, headers } = Object(response) as Partial<HttpResponse>;
    if (typeof headers !== 'object' || headers === null) {
      throw new FanfoldError(
        'BadOption',
        `RetryLater.from expects a response with \`headers\`, as fetch returns it; got ${valueText(response)}. Without one, use new RetryLater(seconds).`,
      );
    }
    const seconds = secondsOf(headerOf(headers)) ?? otherwiseSeconds;
    const had = status ?? statusCode ?? 'unknown';
    return new RetryLater(seconds, `The response had status ${had}: retry in ${seconds} s.`);
  }
}

function headerOf(headers: HttpResponse['headers']): unknown {
  if (typeof headers.get === 'function') return headers.get('retry-after');
  return 'retry-after' in headers ? headers['retry-after'] : undefined;
}

/** The date of a header begins with its day of the week, in all three forms. */
const DATE = /^\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after. Some servers send parts of a second. */
function secondsOf(header: unknown): number | undefined {
  const text = String(header);
  const isDate = DATE.test(text);
  if (!isDate && !/^\s*\d+(?:\.\d+)?\s*$/.test(text)) return undefined;
  const seconds = isDate ? Math.ceil((Date.parse(text) - Date.now()) / 1000) : Number(text);
  if (Number.isNaN(seconds)) return undefined;
  return Math.min(LONGEST_LATER_SECONDS, Math.max(0, seconds));
}

/** Whether a value is a number of seconds that an input may wait. */
export function isDelay(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_LATER_SECONDS;
}

/** Seconds of a `RetryLater`, of this or another installed copy of Fanfold; else undefined. */
export function laterSecondsOf(thrown: unknown): number | undefined {
  try {
    const seconds = (thrown as { [SECONDS]?: unknown } | null | undefined)?.[SECONDS];
    return isDelay(seconds) ? seconds : undefined;
  } catch {
    // A thrown value may itself throw when it is inspected.
    return undefined;
  }
}
