import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { distance } from 'fastest-levenshtein';
import { FanfoldPropsError } from './refuse.ts';

/**
 * Refuses a key of the app's context that is one of its own, misspelled: it would be ignored, and
 * another stack be deployed than was meant.
 *
 * Any other key may be there. The CDK has keys of its own, flags and what it has looked up, nearly
 * all with a `:`, `@` or `/` in them; and whoever has several apps may give all of them the same ones.
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
    `There is no context value \`${misspelled}\`. Did you mean \`${nearest(misspelled)}\`? Known are ${known.join(', ')}.`,
  );
}

/** So that `max-concurrency` is found to be `maxConcurrency`. */
function plain(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Of a short word even two edits make others, that mean something else: `name` and `date`. */
function mostEdits(known: string): number {
  return known.length < 8 ? 1 : 2;
}

/** Two letters that changed places are one edit. */
function editsBetween(one: string, other: string): number {
  const swapped = Array.from(one.slice(1), (letter, at) =>
    [one.slice(0, at), letter, one[at], one.slice(at + 2)].join(''),
  );
  return Math.min(distance(one, other), ...swapped.map((text) => 1 + distance(text, other)));
}

/** What its user's own settings give to every app: https://docs.aws.amazon.com/cdk/v2/guide/context.html */
function keysOfAllApps(): string[] {
  try {
    const { context = {} } = JSON.parse(readFileSync(join(homedir(), '.cdk.json'), 'utf8'));
    return Object.keys(context);
  } catch {
    // Most have none; of one that can't be read the CDK tells.
    return [];
  }
}
