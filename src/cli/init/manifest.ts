import { readFileSync } from 'node:fs';
import { applyEdits, modify, parse } from 'jsonc-parser';
import { FanfoldError, messageOf } from '../../index.ts';

/** A package.json. */
export interface Manifest {
  text: string;
  content: Record<string, unknown>;
}

/** A key to add, such as `['scripts', 'test']`, and its value. */
export type Entry = readonly [path: readonly string[], value: unknown];

/** Reads a package.json. @throws FanfoldError `BadOption` if it is none */
export function readManifest(file: string): Manifest {
  try {
    const text = readFileSync(file, 'utf8');
    // Skips a byte order mark, as npm does.
    const content: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    if (isObject(content)) return { text, content };
  } catch (cause) {
    const why = `${file} cannot be read: ${messageOf(cause)}. Correct it, and try again.`;
    throw new FanfoldError('BadOption', why, { cause });
  }
  throw new FanfoldError('BadOption', `${file} must hold an object. Correct it, and try again.`);
}

/** Packages that a package.json depends on, by name, with the versions that it wants. */
export function packagesOf({ content }: Manifest): [name: string, wanted: string][] {
  return Object.entries(content)
    .filter(([field]) => isDependencies(field))
    .flatMap(([, packages]) => Object.entries(Object(packages)))
    .map(([name, wanted]) => [name, String(wanted)]);
}

/** The value at a path; undefined if it is not set. */
export function valueAt({ content }: Manifest, path: readonly string[]): unknown {
  return path.reduce<unknown>((found, key) => (isObject(found) ? found[key] : undefined), content);
}

/** Objects that entries are added to. @throws FanfoldError `BadOption` if one is something else */
export function refuseOthers(file: string, { content }: Manifest, keys: readonly string[]): void {
  for (const key of keys) {
    if (content[key] === undefined || isObject(content[key])) continue;
    const text = JSON.stringify(content[key]).slice(0, 100);
    const why = `${file}: \`${key}\` must be an object; it is ${text}. Correct it, and try again.`;
    throw new FanfoldError('BadOption', why);
  }
}

/**
 * Adds entries to a package.json's text. Everything else keeps its order and format, unless an object
 * that is on one line gets an entry. Packages are in alphabetical order, as npm writes them.
 */
export function withEntries(text: string, entries: readonly Entry[]): string {
  const [indent] = /^[ \t]+(?=")/m.exec(text) ?? ['  '];
  const formattingOptions = {
    insertSpaces: !indent.includes('\t'),
    tabSize: indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
  return entries.reduce((edited, [path, value]) => {
    const [field = '', name = ''] = path;
    const getInsertionIndex = (names: string[]) => {
      const isSorted = isDependencies(field) && Object(parse(edited))[field] !== undefined;
      const next = isSorted ? names.findIndex((other) => other > name) : -1;
      return next === -1 ? names.length : next;
    };
    const edits = modify(edited, [...path], value, { formattingOptions, getInsertionIndex });
    return applyEdits(edited, edits);
  }, text);
}

function isDependencies(field: string): boolean {
  return /^(?:|dev|peer|optional)dependencies$/i.test(field);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
