type Intrinsic = Readonly<Record<string, unknown>>;

/**
 * A resolved value of a template without its intrinsic functions: `Fn::Join` is joined, and each
 * other reference is the text that `textOf` makes of it.
 */
export function flattened(value: unknown, textOf: (reference: Intrinsic) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => flattened(item, textOf));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [name = '', argument] = entries[0] ?? [];
  if (name === 'Fn::Join') {
    const [separator, parts] = argument as [string, unknown[]];
    return parts.map((part) => flattened(part, textOf)).join(separator);
  }
  if (name === 'Ref' || name.startsWith('Fn::')) return textOf(value as Intrinsic);
  return Object.fromEntries(entries.map(([key, inner]) => [key, flattened(inner, textOf)]));
}

/**
 * The length of a value's JSON, in bytes: at least, since a text that is known at deployment only
 * counts as none.
 */
export function leastBytesOf(resolved: unknown): number {
  return Buffer.byteLength(JSON.stringify(flattened(resolved, () => '')));
}
