/**
 * Whether a part of a text is one JSON value, with white space around it allowed: exactly what
 * `JSON.parse` accepts. It builds no value, so it takes a fifth of the time: a million inputs are
 * checked when they are seeded and parsed where they run.
 *
 * The grammar is RFC 8259's. A value opens containers, is a string, a number or a word, and closes
 * containers. The open ones are on a stack, so that no depth overflows the call stack.
 */
export function isJson(text: string, from = 0, to: number = text.length): boolean {
  const end = skipJson(text, skipSpace(text, from, to), to, skipSpace);
  return end >= 0 && skipSpace(text, end, to) === to;
}

/**
 * The position after a JSON value that has no white space outside of strings, as `JSON.stringify`
 * writes it, so no line feed either; -1 if there is none.
 */
export function skipCompactJson(text: string, from: number, to: number): number {
  return skipJson(text, from, to, skipNothing);
}

/** The position after a JSON value, white space allowed inside it; -1 if there is none. */
export function skipSpacedJson(text: string, from: number, to: number): number {
  return skipJson(text, from, to, skipSpace);
}

function skipNothing(_text: string, from: number): number {
  return from;
}

function skipJson(
  text: string,
  from: number,
  to: number,
  skipSpace: (text: string, from: number, to: number) => number,
): number {
  const open: boolean[] = [];
  let at = from;
  for (;;) {
    // A value begins here, or the container that was just opened closes.
    const code = at < to ? text.charCodeAt(at) : 0;
    if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      const isObject = code === OPEN_OBJECT;
      at = skipSpace(text, at + 1, to);
      if (at < to && text.charCodeAt(at) === (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) {
        at++;
      } else {
        open.push(isObject);
        if (!isObject) continue;
        at = skipKey(text, at, to, skipSpace);
        if (at < 0) return -1;
        continue;
      }
    } else {
      at = skipScalar(text, at, to, code);
      if (at < 0) return -1;
    }
    // A value has ended here: containers close, until one continues or none is open.
    for (;;) {
      if (open.length === 0) return at;
      at = skipSpace(text, at, to);
      if (at >= to) return -1;
      const isObject = open[open.length - 1];
      const next = text.charCodeAt(at++);
      if (next === COMMA) {
        at = skipSpace(text, at, to);
        if (isObject) at = skipKey(text, at, to, skipSpace);
        if (at < 0) return -1;
        break;
      }
      if (next !== (isObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return -1;
      open.pop();
    }
  }
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
export const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
/** The bit that is set in lower-case letters and not in upper-case ones. */
const LOWER = 0x20;

// All of these return the position after the skipped text, or -1 if other text is there.

export function skipSpace(text: string, from: number, to: number): number {
  let at = from;
  for (; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code !== SPACE && code !== LINE_FEED && code !== RETURN && code !== TAB) break;
  }
  return at;
}

/** A member's name, its colon, and the space after it. */
export function skipKey(
  text: string,
  from: number,
  to: number,
  skip: (text: string, from: number, to: number) => number = skipSpace,
): number {
  if (from >= to || text.charCodeAt(from) !== QUOTE) return -1;
  const end = skipString(text, from, to);
  if (end < 0) return -1;
  const at = skip(text, end, to);
  if (at >= to || text.charCodeAt(at) !== COLON) return -1;
  return skip(text, at + 1, to);
}

function skipScalar(text: string, at: number, to: number, code: number): number {
  if (code === QUOTE) return skipString(text, at, to);
  if (code === MINUS || (code >= ZERO && code <= NINE)) return skipNumber(text, at, to);
  const word = WORDS[code];
  if (word === undefined || at + word.length > to || !text.startsWith(word, at)) return -1;
  return at + word.length;
}

/** By their first letter. */
const WORDS = ['true', 'false', 'null'].reduce<string[]>((words, word) => {
  words[word.charCodeAt(0)] = word;
  return words;
}, []);

function skipString(text: string, from: number, to: number): number {
  for (let at = from + 1; at < to; at++) {
    const code = text.charCodeAt(at);
    // Most characters are letters, which need only this comparison.
    if (code > BACKSLASH) continue;
    if (code === QUOTE) return at + 1;
    if (code < SPACE) return -1;
    if (code !== BACKSLASH) continue;
    const escaped = ++at < to ? text.charCodeAt(at) : 0;
    if (escaped === LOWER_U) {
      if (at + 4 >= to || !HEX.test(text.slice(at + 1, at + 5))) return -1;
      at += 4;
    } else if (!ESCAPED.has(escaped)) {
      return -1;
    }
  }
  return -1;
}

const HEX = /^[0-9A-Fa-f]{4}$/;
const ESCAPED = new Set(Array.from('"\\/bfnrt', (letter) => letter.charCodeAt(0)));

export function skipNumber(text: string, from: number, to: number): number {
  let at = text.charCodeAt(from) === MINUS ? from + 1 : from;
  // No digit follows a leading zero.
  at = at < to && text.charCodeAt(at) === ZERO ? at + 1 : skipDigits(text, at, to);
  if (at > 0 && at < to && text.charCodeAt(at) === POINT) at = skipDigits(text, at + 1, to);
  if (at > 0 && at < to && (text.charCodeAt(at) | LOWER) === LOWER_E) {
    const sign = at + 1 < to ? text.charCodeAt(at + 1) : 0;
    at = skipDigits(text, sign === PLUS || sign === MINUS ? at + 2 : at + 1, to);
  }
  return at;
}

/** Skips one digit or more. */
export function skipDigits(text: string, from: number, to: number): number {
  let at = from;
  for (; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < ZERO || code > NINE) break;
  }
  return at > from ? at : -1;
}
