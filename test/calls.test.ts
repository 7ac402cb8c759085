import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const INDEX = pathToFileURL(join(import.meta.dirname, '../src/index.ts')).href;

/** Prints the files that an import of the package loads. */
const PROGRAM = `
  import { registerHooks } from 'node:module';
  const files = [];
  registerHooks({
    load(url, context, next) {
      files.push(url);
      return next(url, context);
    },
  });
  await import(${JSON.stringify(INDEX)});
  console.log(JSON.stringify(files));
`;

it('a tasks module that imports the package loads little of it, and no SDK', () => {
  const args = ['--input-type=module', '--eval', PROGRAM];
  const printed = execFileSync(process.execPath, args, { encoding: 'utf8' });
  const files: string[] = JSON.parse(printed);
  expect(files).toContain(INDEX);
  expect(files.filter((file) => /@aws-sdk|@smithy|emulator/.test(file))).toEqual([]);
  expect(files.length).toBeLessThan(40);
});
