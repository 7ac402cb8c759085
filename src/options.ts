import { FanfoldError } from './errors.ts';
import { nearest } from './nearest.ts';

export type Kind = [what: string, fits: (value: unknown) => boolean];

export const TEXT: Kind = ['a string', (value) => typeof value === 'string'];
export const FLAG: Kind = ['true or false', (value) => typeof value === 'boolean'];
export const FUNCTION: Kind = ['a function', (value) => typeof value === 'function'];
export const OBJECT: Kind = ['an object', isObject];
/** For an option that is checked more closely where it is used. */
export const CHECKED: Kind = ['', () => true];

/** The options of a call, and the place of options that other tools have in this call. */
export interface CallOptions {
  /** The call as its users write it, such as `map()`. */
  call: string;
  kinds: Readonly<Record<string, Kind>>;
  /** By the name of an option that does not exist, the option to use, such as `stack`. */
  instead?: Readonly<Record<string, string>>;
  code?: 'BadOption' | 'BadTask';
}

/**
 * Checks the options of a call, since not every caller has types.
 *
 * @throws FanfoldError `BadOption`, or another `code`, for an unknown option, or one of another kind
 */
export function checkOptions(
  { call, kinds, instead = {}, code = 'BadOption' }: CallOptions,
  given: unknown,
): void {
  if (!isObject(given) || Array.isArray(given)) {
    throw new FanfoldError(code, `${call} expects an object with options; got ${shown(given)}.`);
  }
  const names = Object.keys(kinds);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (kind === undefined) {
      const near = Object.hasOwn(instead, name) ? instead[name] : quoted(nearest(name, names));
      throw new FanfoldError(
        code,
        `${call} has no option \`${name}\`.${near ? ` Did you mean ${near}?` : ''} Its options are ${names.join(', ')}.`,
      );
    }
    const [what, fits] = kind;
    if (fits(value)) continue;
    throw new FanfoldError(code, `\`${name}\` must be ${what}; got ${shown(value)}.`);
  }
}

function quoted(name: string | undefined): string | undefined {
  return name && `\`${name}\``;
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
