import { distance } from 'fastest-levenshtein';

/** The name that is most like another one; undefined if none is similar. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((candidate) => ({ candidate, edits: distance(name, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, name.length / 2) ? best.candidate : undefined;
}
