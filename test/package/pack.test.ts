import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ENTRIES } from '../../scripts/bundle.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'fanfold-pack-test-'));
/** A clone that compiles at once. */
const clone = join(folder, 'clone');

beforeAll(() => {
  mkdirSync(join(clone, 'src'), { recursive: true });
  writeFileSync(join(clone, 'src/index.ts'), 'export const answer: number = 42;\n');
  for (const entry of Object.values(ENTRIES)) {
    mkdirSync(dirname(join(clone, entry)), { recursive: true });
    writeFileSync(join(clone, entry), 'export {};\n');
  }
  const copied = ['bin', 'scripts', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
  for (const name of [...copied, 'README.md', 'CHANGELOG.md', 'LICENSE', 'page', 'src/report']) {
    cpSync(join(REPOSITORY, name), join(clone, name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(clone, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const files = () => ({
  names: readdirSync(clone).toSorted(),
  manifest: readFileSync(join(clone, 'package.json'), 'utf8'),
});
const npm = (...args: string[]) => run('npm', args, { cwd: clone });
const pack = (...args: string[]) => npm('run', 'package', '--', ...args);

it('packing writes nothing to the clone but the tarball', async () => {
  const before = files();
  await pack('--pack-destination', folder);
  expect(readdirSync(folder)).toContain('fanfold-0.1.0.tgz');
  expect(files()).toEqual(before);
});

it('a failed pack leaves the clone as it was', async () => {
  const before = files();
  const missing = join(folder, 'missing');
  await expect(pack('--pack-destination', missing)).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('ENOENT'),
  });
  expect(files()).toEqual(before);

  writeFileSync(join(clone, 'src/index.ts'), 'export const answer: number = "42";\n');
  await expect(pack()).rejects.toMatchObject({
    code: 1,
    stdout: expect.stringContaining('TS2322'),
  });
  expect(files()).toEqual(before);
});

it('`npm pack` in a clone names the script to use, and packs nothing', async () => {
  const before = files();
  await expect(npm('pack')).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('npm run package'),
  });
  expect(files()).toEqual(before);
});
