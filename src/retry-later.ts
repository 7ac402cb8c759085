import { FanfoldError, valueText } from './errors.ts';

const SECONDS = Symbol.for('fanfold.retryLater');

/** Longest wait of a `RetryLater`, 12 hours. */
export const LONGEST_LATER_SECONDS = 43_200;

/** The part of an HTTP response that `RetryLater.from` reads, as `fetch` returns it. */
interface HttpResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
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
   * @param seconds time until the input runs again: 0 to 43200, 12 hours
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
   *
   * @param otherwiseSeconds used when the response has no such header
   * @throws FanfoldError `BadOption` for anything but such a response
   */
  static from(response: HttpResponse, otherwiseSeconds = 1): RetryLater {
    const { status, headers } = Object(response) as Partial<HttpResponse>;
    if (typeof headers?.get !== 'function') {
      throw new FanfoldError(
        'BadOption',
        `RetryLater.from expects a response as fetch returns it, whose headers have a method \`get\`; got ${valueText(response)}. Without one, use new RetryLater(seconds).`,
      );
    }
    const seconds = secondsOf(headers.get('retry-after')) ?? otherwiseSeconds;
    return new RetryLater(seconds, `The response had status ${status}: retry in ${seconds} s.`);
  }
}

/** https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function secondsOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const at = Date.parse(header);
  const seconds = /^\s*\d+\s*$/.test(header) ? Number(header) : Math.ceil((at - Date.now()) / 1000);
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
