import { SignatureError } from './errors.ts';
import { basicTime, type SigningTime } from './time.ts';

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
