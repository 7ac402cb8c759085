/**
 * A number that `JSON.stringify` would not write as it was: no double holds it, such as
 * 9007199254740993, or it is -0. It is kept as its source text.
 */
export interface RawNumber {
  readonly rawJSON: string;
}

/** The part of JSON that Node.js 24 has and TypeScript's library does not describe yet. */
interface SourceJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
}

// The cast adds only the members above.
const json = JSON as unknown as SourceJson;

/** Matches each text that may have a number of more than 15 digits, with an exponent, or -0. */
const DELICATE_NUMBER = /[\d.]{16}|\d[eE]|-0(?:\.0*)?(?![.\d])/;

/** Parses JSON without rounding: `JSON.stringify` writes each number of the value as it was. */
export function parseExactly(text: string): unknown {
  const value: unknown = JSON.parse(text);
  // A number of 15 digits is exact in any double. Calling a function for each value is slow, so
  // it is the last resort: most texts with long numbers are what JSON.stringify made of doubles.
  if (!DELICATE_NUMBER.test(text) || JSON.stringify(value) === text) return value;
  return json.parse(text, (_key, one, { source }) =>
    typeof one !== 'number' || source === undefined || isExact(one, source)
      ? one
      : json.rawJSON(source),
  );
}

/** Whether a number is zero with a minus. */
export function isNegativeZero({ rawJSON }: RawNumber): boolean {
  return Object.is(Number(rawJSON), -0) && normalForm(rawJSON) === '0';
}

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** Whether a double is written with the digits of its source, such as 1.50 and 1.5. */
function isExact(value: number, source: string): boolean {
  return !Object.is(value, -0) && normalForm(String(value)) === normalForm(source);
}

/** Text of a decimal number without redundant zeros: -1200 and -1.2E3 become -12e2. */
function normalForm(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  const power = Number(exponent) - fraction.length + digits.length - kept.length;
  return `${sign}${kept}e${power}`;
}
