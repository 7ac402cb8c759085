import { hash } from 'node:crypto';
import { SqsError } from '../errors.ts';

/** A character outside of XML 1.0, which SQS refuses in bodies and attributes. */
export const FORBIDDEN_CHARACTER = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/** The forbidden characters that fit in one byte: to search for these alone takes half as long. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const FORBIDDEN_CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f]/;

/** Refuses a text with a character that SQS does not accept. */
export function checkCharacters(text: string): void {
  const forbidden =
    FORBIDDEN_CONTROL.test(text) ||
    text.includes('\ufffe') ||
    text.includes('\uffff') ||
    !text.isWellFormed();
  if (forbidden) throw new SqsError('InvalidMessageContents', REFUSAL);
}

const REFUSAL =
  'Invalid characters found. Valid unicode characters are ' +
  '#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF';

/** A text's MD5 in hexadecimal. */
export function md5Of(text: string): string {
  return hash('md5', text);
}
