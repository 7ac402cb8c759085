import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MUTANTS } from './mutants.ts';
import { rewrite } from './rewrite.ts';

/** Names the mutant of this process and of those that it starts. */
export const MUTANT = 'FANFOLD_MUTANT';

/** Names the file in which each process notes that it has loaded the mutant's source. */
export const LOADED = 'FANFOLD_MUTANT_LOADED';

/** The broken file of this process's mutant. */
export interface BrokenFile {
  path: string;
  url: string;
  /** Returns its source, and records that it was loaded. */
  load(): string;
}

/** @throws Error when there is no such mutant, or its selector is not that of exactly one node */
export function brokenFile(): BrokenFile {
  const mutant = MUTANTS.find(({ name }) => name === process.env[MUTANT]);
  if (mutant === undefined) throw new Error(`There is no mutant "${process.env[MUTANT]}".`);
  const path = join(import.meta.dirname, '../..', mutant.file);
  const source = rewrite(mutant.file, readFileSync(path, 'utf8'), mutant);
  return {
    path,
    url: pathToFileURL(path).href,
    load() {
      const note = process.env[LOADED];
      if (note !== undefined) appendFileSync(note, `${process.pid}\n`);
      return source;
    },
  };
}
