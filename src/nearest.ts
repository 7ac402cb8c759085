import { distance } from 'fastest-levenshtein';

/** The name that is most like another one; undefined if none is similar. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((candidate) => ({ candidate, edits: distance(name, candidate) }))
    .sort((a, b) => a.edits - b.edits);
  // Two edits turn a word of three letters into almost any other.
  const most = name.length <= 3 ? 1 : Math.max(2, name.length / 2);
  return best && best.edits <= most ? best.candidate : undefined;
}
