/** Kinds of objects of which JSON makes an empty one, whatever is in them. */
const EMPTIED = /^\[object ((?:Weak)?(?:Map|Set)|RegExp|Promise)\]$/;

/**
 * What an output has that its JSON text does not: `Infinity at $.score`. Nothing is looked at where
 * the text has neither a `null` nor an empty object, which are all that stands for such values.
 */
export function lostIn(output: unknown, text: string): string | undefined {
  if (!text.includes('null') && !text.includes('{}')) return undefined;
  try {
    return search(output);
  } catch {
    // A getter that does not give the same twice: JSON has what it gave first.
    return undefined;
  }
}

function search(output: unknown): string | undefined {
  const left: { value: unknown; path: string }[] = [{ value: output, path: '$' }];
  // Not by recursion: JSON.stringify goes deeper than functions may call themselves.
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { value, path } = next;
    const what = lost(value);
    if (what !== undefined) return `${what} at ${path}`;
    if (typeof value !== 'object' || value === null || hasOwnJson(value)) continue;
    for (const [key, inner] of Object.entries(value).reverse()) {
      left.push({ value: inner, path: path + stepTo(key, Array.isArray(value)) });
    }
  }
  return undefined;
}

function lost(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value);
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : undefined;
  const [, kind] = EMPTIED.exec(Object.prototype.toString.call(value)) ?? [];
  return kind === undefined || hasOwnJson(value) ? undefined : `a ${kind}`;
}

/** Whether it says itself what JSON makes of it. */
function hasOwnJson(value: object): boolean {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

function stepTo(key: string, isArray: boolean): string {
  if (isArray) return `[${key}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
