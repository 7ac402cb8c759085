/** A value that is not in the JSON text of what holds it. */
export interface Lost {
  /** Such as `NaN`, `a Map`. */
  what: string;
  /** Such as `$.rows[3].price`; `$` is the whole. */
  path: string;
  /** What to give in its place: the end of a sentence. */
  remedy: string;
}

type Kind = Pick<Lost, 'what' | 'remedy'>;

/**
 * What an output has that its JSON text does not. Nothing is looked at where the text has neither a
 * `null` nor an empty object, which are all that stands for such values.
 *
 * Functions and `undefined` may be lost: outputs are often instances of classes.
 */
export function lostFromOutput(output: unknown, text: string): Lost | undefined {
  if (!text.includes('null') && !text.includes('{}')) return undefined;
  return search(output, lossOf);
}

/** What an input has that its JSON text does not have, or for which it has no text. */
export function lostFromInput(input: unknown): Lost | undefined {
  try {
    if (arrivesWhole(input, FAST_LEVELS)) return undefined;
  } catch {
    // A getter that throws: JSON.stringify says more of it.
    return undefined;
  }
  return search(input, strictLossOf);
}

/** Deeper than this no function calls itself: JSON.stringify goes deeper than the stack may. */
const FAST_LEVELS = 50;

/**
 * True if the value surely arrives as it is sent; false leaves the answer to `search`. Most inputs
 * take this way alone, so that a million of them cost little: it names no path and makes no object.
 */
function arrivesWhole(value: unknown, levels: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return false;
  if (value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) {
    for (const inner of value) if (!arrivesWhole(inner, levels - 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    // Dates, and rows that a database's driver made.
    if (strictLossOf(value) !== undefined) return false;
    if (hasOwnJson(value)) return true;
  }
  for (const key in value) {
    const inner: unknown = value[key as keyof typeof value];
    if (inner !== undefined && !arrivesWhole(inner, levels - 1)) return false;
  }
  return true;
}

function search(whole: unknown, loss: (value: unknown) => Kind | undefined): Lost | undefined {
  try {
    return firstLost(whole, loss);
  } catch {
    // A getter that does not give the same twice: JSON has what it gave first.
    return undefined;
  }
}

function firstLost(whole: unknown, loss: (value: unknown) => Kind | undefined): Lost | undefined {
  const left: { value: unknown; path: string }[] = [{ value: whole, path: '$' }];
  // A circle is JSON.stringify's to refuse.
  const seen = new Set<object>();
  // Not by recursion: JSON.stringify goes deeper than functions may call themselves.
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, path } = next;
    const kind = loss(value);
    if (kind !== undefined) return { ...kind, path };
    if (!isObject(value) || seen.has(value) || hasOwnJson(value)) continue;
    seen.add(value);
    if (Array.isArray(value)) {
      // By index: a hole has no entry.
      for (let at = value.length - 1; at >= 0; at--) {
        left.push({ value: value[at], path: `${path}[${at}]` });
      }
      continue;
    }
    for (const [key, inner] of Object.entries(value).reverse()) {
      // A property that is missing stays so.
      if (inner !== undefined) left.push({ value: inner, path: path + stepTo(key) });
    }
  }
  return undefined;
}

/** Kinds of objects of which JSON makes an empty one, whatever is in them. */
const EMPTIED: Readonly<Record<string, Kind>> = Object.fromEntries(
  Object.entries({
    Map: '`Object.fromEntries(map)` or `[...map]`',
    Set: '`[...set]`',
    WeakMap: 'an object',
    WeakSet: 'an array',
    RegExp: 'its `source`',
    Promise: 'what it resolves to: await it',
  }).map(([name, remedy]) => [`[object ${name}]`, { what: `a ${name}`, remedy }]),
);

/** What JSON makes `null`, or an empty object, of. */
function lossOf(value: unknown): Kind | undefined {
  if (typeof value === 'number') {
    const remedy = 'null, or a string';
    return Number.isFinite(value) ? undefined : { what: String(value), remedy };
  }
  if (!isObject(value)) return undefined;
  if (value instanceof Date) {
    const isValid = !Number.isNaN(value.getTime());
    return isValid ? undefined : { what: 'an invalid Date', remedy: 'a valid one, or null' };
  }
  const kind = EMPTIED[tagOf(value)];
  return kind === undefined || hasOwnJson(value) ? undefined : kind;
}

const WITHOUT_TEXT: Readonly<Record<string, Kind>> = {
  undefined: { what: 'undefined', remedy: 'null' },
  function: { what: 'a function', remedy: 'what it returns, or leave it out' },
  symbol: { what: 'a symbol', remedy: 'its `description`, or leave it out' },
  bigint: { what: 'a bigint', remedy: '`String(value)`' },
};

/** In addition, what JSON leaves out or refuses, and what arrives as something else. */
function strictLossOf(value: unknown): Kind | undefined {
  const kind = lossOf(value);
  if (kind !== undefined) return kind;
  // Programs give BigInt.prototype a `toJSON`.
  if (hasOwnJson(value)) return undefined;
  if (!isObject(value)) return WITHOUT_TEXT[typeof value];
  const tag = tagOf(value);
  if (ArrayBuffer.isView(value) || tag === '[object ArrayBuffer]') {
    const { name } = value.constructor;
    const what = `${/^[AI]/.test(name) ? 'an' : 'a'} ${name}`;
    return { what, remedy: '`[...array]`, or a string in base64' };
  }
  if (tag === '[object Error]') return { what: 'an Error', remedy: 'its `message`' };
  if (Array.isArray(value) || isPlain(value) || !isEmpty(value)) return undefined;
  const name = value.constructor?.name;
  return {
    what: `an instance of ${name ? name : 'a class'} without properties that JSON has`,
    remedy: 'a plain object, or give its class a `toJSON`',
  };
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Also one of another realm, such as `node:vm`'s, whose `Object` is another one. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** True if nothing is in its JSON. Boxed values are their own. */
function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0 && Object(value.valueOf()) === value;
}

/** Whether it says itself what JSON makes of it. */
function hasOwnJson(value: unknown): boolean {
  return typeof (value as { toJSON?: unknown } | null | undefined)?.toJSON === 'function';
}

function stepTo(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
