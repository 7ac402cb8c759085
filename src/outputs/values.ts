import type { ColumnType } from './columns.ts';
import { isNegativeZero, isRawNumber, type RawNumber } from './exact-json.ts';

/**
 * Kind of a value, as far as columns differ. `wide` is a whole number of 64 bits that no double
 * holds: a column of those cannot have fractions too.
 */
export type Kind = 'null' | 'boolean' | 'integer' | 'wide' | 'double' | 'text' | 'json';

export function kindOf(value: unknown): Kind {
  if (value === null || value === undefined) return 'null';
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'number':
      return integerOf(value) === undefined ? 'double' : 'integer';
    case 'string':
      // Files are UTF-8, which cannot hold half of a surrogate pair. JSON text escapes it.
      return value.isWellFormed() ? 'text' : 'json';
    default:
      if (!isRawNumber(value)) return 'json';
      if (isNegativeZero(value)) return 'double';
      return integerOf(value) === undefined ? 'json' : 'wide';
  }
}

const LEAST_INTEGER = -(2n ** 63n);

const END_OF_INTEGERS = 2n ** 63n;

/**
 * The whole number of 64 bits that a number's text has. The text of a double beyond 2^53 may differ
 * from the double's own digits: 2 ** 62 is 4611686018427388000 in JSON.
 */
function integerOf(value: number | RawNumber): number | bigint | undefined {
  if (Number.isSafeInteger(value)) return Number(value);
  const text = typeof value === 'number' ? String(value) : value.rawJSON;
  if (!/^-?[1-9]\d{0,18}$/.test(text)) return undefined;
  const integer = BigInt(text);
  return integer >= LEAST_INTEGER && integer < END_OF_INTEGERS ? integer : undefined;
}

/** The narrowest kind that holds all values of two kinds. */
export function joined(a: Kind, b: Kind): Kind {
  if (a === b || b === 'null') return a;
  if (a === 'null') return b;
  const pair = [a, b];
  if (pair.includes('integer')) {
    if (pair.includes('wide')) return 'wide';
    if (pair.includes('double')) return 'double';
  }
  return 'json';
}

/** The type of a column whose values have a kind. Nulls alone show no type: JSON takes any. */
export function typeOf(kind: Kind): ColumnType {
  if (kind === 'null') return 'json';
  return kind === 'wide' ? 'integer' : kind;
}

/** The value of one column in one row. The JSON text of a `json` column is a string. */
export type Cell = null | boolean | number | bigint | string;

/** Puts a value into a column's type; undefined if the column cannot hold it as it is. */
export function cellOf(value: unknown, type: ColumnType): Cell | undefined {
  if (value === null || value === undefined) return null;
  switch (type) {
    case 'json':
      return JSON.stringify(value);
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'text':
      return typeof value === 'string' && value.isWellFormed() ? value : undefined;
    case 'double':
      if (isRawNumber(value)) return isNegativeZero(value) ? -0 : undefined;
      return typeof value === 'number' ? value : undefined;
    case 'integer':
      return typeof value === 'number' || isRawNumber(value) ? integerOf(value) : undefined;
  }
}

/** Describes a value that does not fit, for a message. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (isRawNumber(value)) {
    return isNegativeZero(value)
      ? 'negative zero'
      : 'a number that a double does not hold without rounding';
  }
  switch (typeof value) {
    case 'boolean':
      return 'a boolean';
    case 'string':
      return value.isWellFormed() ? 'a string' : 'a string with half of a surrogate pair';
    case 'number':
      if (!Number.isInteger(value)) return 'a fraction';
      return integerOf(value) === undefined ? 'a number beyond 64 bits' : 'a whole number';
    default:
      return 'an object';
  }
}
