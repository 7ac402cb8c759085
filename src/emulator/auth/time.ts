import { SignatureError } from './errors.ts';

/** The time at which a request was signed, according to itself. */
export interface SigningTime {
  /** Milliseconds since 1970. */
  ms: number;
  /** In the form that signatures use: `20150830T123600Z`. */
  text: string;
}

/** A time in the form that signatures use. */
export function basicTime(ms: number): string {
  return new Date(ms).toISOString().replace(/[-:]|\.\d+/g, '');
}

const BASIC = /^(\d{4})(0[1-9]|1[0-2])(\d\d)T([01]\d|2[0-3])([0-5]\d)([0-5]\d)Z$/;

/** Reads a time in the form that signatures use, or in that of HTTP's Date header. */
export function readTime(date: string): SigningTime {
  const match = BASIC.exec(date);
  const ms = match ? utc(match) : httpTime(date);
  if (!Number.isNaN(ms)) return { ms, text: match ? date : basicTime(ms) };
  throw new SignatureError(
    'malformed',
    `Date must be in ISO-8601 'basic format'. Got '${date}'. See http://en.wikipedia.org/wiki/ISO_8601`,
  );
}

function utc([, year, month, day, hour, minute, second]: RegExpExecArray): number {
  const ms = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  // `Date.UTC` turns 30 February into 2 March.
  return new Date(ms).getUTCDate() === Number(day) ? ms : Number.NaN;
}

/** `Date.parse` reads far more than HTTP's form, so the result must format to the same text. */
function httpTime(date: string): number {
  const ms = Date.parse(date);
  return new Date(ms).toUTCString() === date ? ms : Number.NaN;
}

/** Largest error of a caller's clock; also the default lifetime of a presigned request. */
const MAX_SKEW_SECONDS = 15 * 60;

const MAX_EXPIRES_SECONDS = 7 * 24 * 60 * 60;

/**
 * Refuses a request that was signed too long ago, or in the future.
 * @param expires Lifetime that the request declares, in seconds.
 * @param now Milliseconds since 1970.
 */
export function checkClock(signed: SigningTime, expires: string | undefined, now: number): void {
  const lifeSeconds = expires === undefined ? MAX_SKEW_SECONDS : readExpires(expires);
  // Signatures have no fractions of a second.
  const second = now - (now % 1000);
  const oldest = second - lifeSeconds * 1000;
  if (signed.ms < oldest) {
    throw new SignatureError(
      'mismatch',
      `Signature expired: ${signed.text} is now earlier than ${basicTime(oldest)} (${basicTime(second)} - ${inWords(lifeSeconds)})`,
    );
  }
  const newest = second + MAX_SKEW_SECONDS * 1000;
  if (signed.ms > newest) {
    throw new SignatureError(
      'mismatch',
      `Signature not yet current: ${signed.text} is still later than ${basicTime(newest)} (${basicTime(second)} + ${inWords(MAX_SKEW_SECONDS)})`,
    );
  }
}

function readExpires(text: string): number {
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (seconds >= 1 && seconds <= MAX_EXPIRES_SECONDS) return seconds;
  throw new SignatureError(
    'malformed',
    `X-Amz-Expires must be a whole number of seconds from 1 to ${MAX_EXPIRES_SECONDS}; got '${text}'.`,
  );
}

function inWords(seconds: number): string {
  return seconds % 60 === 0 ? `${seconds / 60} min.` : `${seconds} s.`;
}
