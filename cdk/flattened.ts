type Intrinsic = Readonly<Record<string, unknown>>;

/**
 * Replaces the intrinsic functions in a resolved value of a template: joins `Fn::Join`, and
 * replaces each other reference by the text that `textOf` returns.
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
 * Lower bound of the length of a value's JSON, in bytes: texts known only at deployment count as
 * empty.
 */
export function leastBytesOf(resolved: unknown): number {
  return Buffer.byteLength(JSON.stringify(flattened(resolved, () => '')));
}
