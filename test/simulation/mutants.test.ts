import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import { rewrite } from './rewrite.ts';

const ROOT = join(import.meta.dirname, '../..');

// Whether each is caught is for `npm run simulate:mutants`, which takes minutes.
it.each(MUTANTS)('$name: breaks one place', (mutant) => {
  const code = readFileSync(join(ROOT, mutant.file), 'utf8');
  expect(rewrite(mutant.file, code, mutant)).not.toBe(code);
  if (mutant.caughtBy) expect(existsSync(join(ROOT, mutant.caughtBy))).toBe(true);
});

it('each mutant has a unique name', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});
