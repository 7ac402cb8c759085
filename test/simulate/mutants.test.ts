import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';

// Whether the simulation catches each is for `npm run simulate:mutants`, which takes minutes.
it.each(MUTANTS)('$name: breaks one place', ({ file, find }) => {
  const code = readFileSync(join(import.meta.dirname, '../..', file), 'utf8');
  expect(code.split(find)).toHaveLength(2);
});

it('there are at least a dozen', () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(12);
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});
