/** A value that is missing in the JSON text of the value that contains it. */
export interface Lost {
  /** Such as `NaN`, `a Map`. */
  what: string;
  /** Such as `$.rows[3].price`; `$` is the whole. */
  path: string;
  /** A replacement to suggest: the end of a sentence. */
  remedy: string;
}

type Kind = Pick<Lost, 'what' | 'remedy'>;

/**
 * The first value in an output that its JSON text lacks. There is no search if the text has neither
 * a `null` nor an empty object: one of them stands for each such value.
 *
 * Functions and `undefined` may be lost: outputs are often instances of classes.
 */
export function lostFromOutput(output: unknown, text: string): Lost | undefined {
  if (!text.includes('null') && !text.includes('{}')) return undefined;
  return search(output, lossOf);
}

/** The first value in an input that its JSON text lacks, or that has no JSON text. */
export function lostFromInput(input: unknown): Lost | undefined {
  try {
    if (arrivesWhole(input, FAST_LEVELS)) return undefined;
  } catch {
    // A getter throws: JSON.stringify reports more about it.
    return undefined;
  }
  return search(input, strictLossOf);
}

/** Deepest recursion of the fast check: JSON.stringify goes deeper than the stack allows here. */
const FAST_LEVELS = 50;

/**
 * Whether the value certainly arrives as it is sent; false leaves the answer to `search`. Most
 * inputs need this check alone, so that a million of them cost little: it builds no path and no
 * object.
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
    // Dates, and rows made by a database's driver.
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
    // A getter returns a different value each time: JSON has the first one.
    return undefined;
  }
}

function firstLost(whole: unknown, loss: (value: unknown) => Kind | undefined): Lost | undefined {
  const left: { value: unknown; path: string }[] = [{ value: whole, path: '$' }];
  // JSON.stringify refuses a circle.
  const seen = new Set<object>();
  // Not by recursion: JSON.stringify goes deeper than the stack allows here.
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
      // A missing property stays missing.
      if (inner !== undefined) left.push({ value: inner, path: path + stepTo(key) });
    }
  }
  return undefined;
}

/** Kinds of objects that become an empty one in JSON, whatever they contain. */
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

/** Values that become `null` or an empty object in JSON. */
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
  if (hasOwnJson(value)) return undefined;
  const tag = tagOf(value);
  if (tag === '[object Error]') return { what: 'an Error', remedy: 'its `message`' };
  if (tag === '[object ArrayBuffer]') return bytesLoss(value);
  return EMPTIED[tag] ?? emptyInstanceLoss(value);
}

function bytesLoss({ constructor: { name } }: object): Kind {
  const what = `${/^[AI]/.test(name) ? 'an' : 'a'} ${name}`;
  return { what, remedy: '`[...array]`, or a string in base64' };
}

/** Instances such as a `Response`, whose content is not in properties of its own. */
function emptyInstanceLoss(value: object): Kind | undefined {
  if (Array.isArray(value) || isPlain(value) || !isEmpty(value)) return undefined;
  // An array of bytes without any.
  if (ArrayBuffer.isView(value)) return undefined;
  const name = value.constructor?.name;
  return {
    what: `an instance of ${name ? name : 'a class'} without properties that JSON has`,
    remedy: 'a plain object, or give its class a `toJSON`',
  };
}

const WITHOUT_TEXT: Readonly<Record<string, Kind>> = {
  undefined: { what: 'undefined', remedy: 'null' },
  function: { what: 'a function', remedy: 'what it returns, or leave it out' },
  symbol: { what: 'a symbol', remedy: 'its `description`, or leave it out' },
  bigint: { what: 'a bigint', remedy: '`String(value)`' },
};

/** In addition, values that JSON omits or refuses, and values that arrive as something else. */
function strictLossOf(value: unknown): Kind | undefined {
  const kind = lossOf(value);
  if (kind !== undefined) return kind;
  // Some programs give BigInt.prototype a `toJSON`.
  if (hasOwnJson(value)) return undefined;
  if (!isObject(value)) return WITHOUT_TEXT[typeof value];
  return ArrayBuffer.isView(value) ? bytesLoss(value) : undefined;
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** Includes objects of another realm, such as `node:vm`'s, whose `Object` is a different one. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Whether its JSON has no content. A boxed value has its primitive. */
function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0 && Object(value.valueOf()) === value;
}

/** Whether it defines its own JSON. */
function hasOwnJson(value: unknown): boolean {
  return typeof (value as { toJSON?: unknown } | null | undefined)?.toJSON === 'function';
}

function stepTo(key: string): string {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
