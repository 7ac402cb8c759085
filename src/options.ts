import { FanfoldError } from './errors.ts';
import { meant } from './option-homes.ts';

export type Kind = [what: string, fits: (value: unknown) => boolean];

export const TEXT: Kind = ['a string', (value) => typeof value === 'string'];
export const FLAG: Kind = ['true or false', (value) => typeof value === 'boolean'];
export const FUNCTION: Kind = ['a function', (value) => typeof value === 'function'];
export const OBJECT: Kind = ['an object', isObject];
export const MODULE: Kind = [
  'a URL or a path',
  (value) => typeof value === 'string' || value instanceof URL,
];
/** For an option that is checked more closely where it is used. */
export const CHECKED: Kind = ['', () => true];

/** The options of a call that has none, for callers without types. */
export type NoOptions = Record<string, never>;

/** The options of a call. */
export interface CallOptions {
  /** The call as its users write it, such as `map()`. */
  call: string;
  kinds: Readonly<Record<string, Kind>>;
  /** Options that must be given. */
  required?: readonly string[];
  code?: 'BadOption' | 'BadTask';
}

/**
 * Checks the options of a call, since not every caller has types.
 *
 * @throws FanfoldError `BadOption`, or another `code`, for an unknown option, or one of another kind
 */
export function checkOptions(
  { call, kinds, required = [], code = 'BadOption' }: CallOptions,
  given: unknown,
): void {
  if (!isObject(given) || Array.isArray(given)) {
    const what = typeof given === 'function' ? 'a function' : shown(given);
    throw new FanfoldError(code, `${call} expects an object with options; got ${what}.`);
  }
  const names = Object.keys(kinds);
  const options = new Map<string, unknown>(Object.entries(given));
  for (const [name, value] of options) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const right = meant(name, names);
      throw new FanfoldError(
        code,
        `${call} has no option \`${name}\`.${right ? ` Did you mean ${right}?` : ''} ${names.length > 0 ? `Its options are ${names.join(', ')}.` : 'It has no options.'}`,
      );
    }
    const [what, fits] = kind;
    if (fits(value)) continue;
    throw new FanfoldError(code, `\`${name}\` must be ${what}; got ${shown(value)}.`);
  }
  const missing = required.find((name) => options.get(name) === undefined);
  if (missing === undefined) return;
  throw new FanfoldError(code, `${call} needs \`${missing}\`: ${kinds[missing]?.[0]}.`);
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** A value as a sentence names it. */
export function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function: call it';
  if (typeof value === 'string') return `the string ${JSON.stringify(value)}`;
  if (!isObject(value)) return String(value);
  if ('then' in value && typeof value.then === 'function') return 'a Promise: await it';
  return Array.isArray(value) ? 'an array' : 'an object';
}
