import { messageOf } from '../../errors.ts';

/** Reason why `JSON.stringify` threw, as the end of a sentence. */
export function whyNotJson(thrown: unknown): string {
  const why = messageOf(thrown);
  if (!(thrown instanceof RangeError)) return why;
  if (/call stack/i.test(why)) {
    return 'it is nested too deep: JSON.stringify supports some thousand levels. Send or return it as a string, or less nested';
  }
  return /string length/i.test(why) ? 'its text is longer than any string can be (512 MiB)' : why;
}
