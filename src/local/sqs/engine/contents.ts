import { hash } from 'node:crypto';
import { SqsError } from '../errors.ts';

/**
 * A message's text, as it is and as the JSON string literal that carried it. A queue keeps the
 * literal alone: the same literal goes out with every receive, so that no body is escaped again.
 */
export interface BodyText {
  readonly text: string;
  readonly literal: string;
}

/** A character outside of XML 1.0, which SQS refuses in bodies and attributes. */
export const FORBIDDEN_CHARACTER = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u;

/** Each escape in a literal that may stand for such a character. */
const SUSPICIOUS_ESCAPE = /\\[ubf]/;

/** Refuses a text with a character that SQS does not take. */
export function checkCharacters({ text, literal }: BodyText): void {
  // The plain test costs as much as the hash. In JSON, control characters are always escaped, and
  // most bodies have none of those escapes; strings of one-byte characters can't have the rest.
  const suspicious =
    SUSPICIOUS_ESCAPE.test(literal) ||
    text.includes('\ufffe') ||
    text.includes('\uffff') ||
    !text.isWellFormed();
  if (suspicious && FORBIDDEN_CHARACTER.test(text))
    throw new SqsError('InvalidMessageContents', REFUSAL);
}

const REFUSAL =
  'Invalid characters found. Valid unicode characters are ' +
  '#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF';

/** A text's MD5 in hexadecimal. */
export function md5Of(text: string): string {
  return hash('md5', text);
}
