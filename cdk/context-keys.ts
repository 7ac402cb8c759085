import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { distance } from 'fastest-levenshtein';
import { FanfoldPropsError } from './refuse.ts';

/**
 * Refuses a context key that is a misspelling of a known one: CDK would ignore it, and deploy
 * another stack than the user intended.
 *
 * All other keys are allowed. The CDK has its own keys for flags and lookups, nearly all with a
 * `:`, `@` or `/`, and users with several apps may set the same keys for all of them.
 */
export function refuseMisspelled(keys: readonly string[], known: readonly string[]): void {
  const nearest = (key: string) =>
    known.find((one) => editsBetween(plain(key), plain(one)) <= mostEdits(one));
  const suspects = keys.filter((key) => !known.includes(key) && !/[:@/]/.test(key) && nearest(key));
  if (suspects.length === 0) return;
  const ofAllApps = keysOfAllApps();
  const misspelled = suspects.find((key) => !ofAllApps.includes(key));
  if (misspelled === undefined) return;
  throw new FanfoldPropsError(
    `There is no context value \`${misspelled}\`. Did you mean \`${nearest(misspelled)}\`? Known values: ${known.join(', ')}.`,
  );
}

/** Normalizes a key, so that `max-concurrency` matches `maxConcurrency`. */
function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Fewer edits for short words: two edits can make another word, such as `date` from `name`. */
function mostEdits(known: string): number {
  return known.length < 8 ? 1 : 2;
}

/** Edit distance in which a swap of two letters counts as one edit. */
function editsBetween(one: string, other: string): number {
  const swapped = Array.from(one.slice(1), (letter, at) =>
    [one.slice(0, at), letter, one[at], one.slice(at + 2)].join(''),
  );
  return Math.min(distance(one, other), ...swapped.map((text) => 1 + distance(text, other)));
}

/** Keys of the user's `~/.cdk.json`: https://docs.aws.amazon.com/cdk/v2/guide/context.html */
function keysOfAllApps(): string[] {
  try {
    const { context = {} } = JSON.parse(readFileSync(join(homedir(), '.cdk.json'), 'utf8'));
    return Object.keys(context);
  } catch {
    // Most users have no such file; the CDK reports one that can't be read.
    return [];
  }
}
