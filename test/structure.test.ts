import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { WITHOUT_RECURSIVE_LOOP } from '../cdk/recursion.ts';
import { hasRecursiveLoop } from '../src/doctor/account.ts';

const ROOT = join(import.meta.dirname, '..');
const IMPORT = /^(?:import|export)\b[^'"]*from '([^']+)'|^import '([^']+)'|import\('([^']+)'\)/gm;

/** What each source file imports of this repository, by path from its root. */
function importsOf(folder: string): [file: string, imported: string][] {
  return globSync(`${folder}/**/*.ts`, { cwd: ROOT }).flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return Array.from(text.matchAll(IMPORT), ([, a, b, c]): [string, string] => {
      const name = a ?? b ?? c ?? '';
      const path = name.startsWith('.')
        ? relative(ROOT, join(ROOT, dirname(file), name))
        : name === '#shipped-tasks'
          ? 'functions/tasks/index.ts'
          : name;
      return [file, path];
    });
  });
}

const strays = (folder: string, forbidden: RegExp) =>
  importsOf(folder)
    .filter(([, imported]) => forbidden.test(imported))
    .map(([file, imported]) => `${file} -> ${imported}`);

// The arrows of the README's picture.
it.each([
  ['src/pipeline', /^src\/(local|cli|connect|index|handlers)|^@aws-lambda-powertools/],
  ['src/emulator/sqs', /^src\/(?!local\/(sqs|auth|transport|private)|errors|stopwatch)/],
  ['src/emulator/auth', /^src\/(?!local\/(auth|transport)|errors)/],
  ['src/emulator/lambda', /^src\/(?!local\/(lambda|auth|transport)|errors)/],
  ['src/handlers', /^src\/(local|cli|connect|index)/],
  ['functions', /^src\/(local|cli|connect|index)/],
  // The handlers, but nothing of what only a function on AWS needs.
  ['src/local', /^src\/(simulate|handlers\.ts)/],
  // The public API, which is fanfold and fanfold/sqs.
  ['src/cli', /^src\/(?!cli\/|inputs\/|index\.ts|local\/sqs\/index\.ts)|^functions/],
  ['src/inputs', /^src\/(?!inputs\/|errors)/],
  ['cdk', /^(src|functions|bin)\b/],
])('%s imports nothing that it is not to know', (folder, forbidden) => {
  expect(importsOf(folder)).not.toEqual([]);
  expect(strays(folder, forbidden)).toEqual([]);
});

it('no files of cdk/ import each other in a circle', () => {
  const imports = importsOf('cdk');
  const importedBy = (file: string) =>
    imports.filter(([from]) => from === file).map(([, imported]) => imported);
  const reachable = (file: string, seen = new Set<string>()): Set<string> => {
    for (const next of importedBy(file)) if (!seen.has(next)) reachable(next, seen.add(next));
    return seen;
  };
  const files = [...new Set(imports.map(([file]) => file))];
  expect(files.filter((file) => reachable(file).has(file))).toEqual([]);
});

it('no file is longer than its idea', () => {
  const long = ['src', 'cdk', 'functions', 'bench'].flatMap((folder) =>
    globSync(`${folder}/**/*.ts`, { cwd: ROOT }).filter(
      (file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 320,
    ),
  );
  expect(long).toEqual([]);
});

it('the stack and the doctor know the same regions without RecursiveLoop', () => {
  const regions = ['us-east-1', 'us-gov-east-1', 'us-gov-west-1', 'mx-central-1', 'ap-southeast-6'];
  expect(WITHOUT_RECURSIVE_LOOP.toSorted()).toEqual(regions.slice(1).toSorted());
  expect(regions.map(hasRecursiveLoop)).toEqual([true, false, false, false, false]);
});
