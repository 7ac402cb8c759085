import { distance } from 'fastest-levenshtein';

/** The one of some names that is most like another; undefined where none is like it. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((candidate) => ({ candidate, edits: distance(name, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  return best && best.edits <= Math.max(2, name.length / 2) ? best.candidate : undefined;
}
