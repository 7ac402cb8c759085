import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');

/** Packs a copy of the repository, since packing changes package.json for a moment; gives the tarball. */
export function pack(root: string): string {
  const copy = join(root, 'copy');
  mkdirSync(copy);
  for (const name of [
    'bin',
    'cdk',
    'functions',
    'scripts',
    'src',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'README.md',
    'LICENSE',
  ]) {
    cpSync(join(REPOSITORY, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(copy, 'node_modules'));
  const before = readFileSync(join(copy, 'package.json'), 'utf8');
  execFileSync('npm', ['pack', '--pack-destination', root], { cwd: copy, stdio: 'pipe' });
  if (readFileSync(join(copy, 'package.json'), 'utf8') !== before) {
    throw new Error('Packing was expected to leave package.json as it was.');
  }
  const [tarball] = readdirSync(root).filter((name) => name.endsWith('.tgz'));
  return join(root, tarball ?? '');
}

/** As npm would install it in a project, without asking a registry. */
export function install(tarball: string, project: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(join(modules, '.bin'), { recursive: true });
  for (const name of readdirSync(join(REPOSITORY, 'node_modules'))) {
    if (name === '.bin' || name === 'fanfold') continue;
    symlinkSync(join(REPOSITORY, 'node_modules', name), join(modules, name));
  }
  mkdirSync(join(modules, 'fanfold'));
  execFileSync('tar', ['xzf', tarball, '--strip-components=1', '-C', join(modules, 'fanfold')]);
  symlinkSync('../fanfold/bin/fanfold.js', join(modules, '.bin/fanfold'));
  for (const name of ['node', 'esbuild']) {
    symlinkSync(join(REPOSITORY, 'node_modules/.bin', name), join(modules, '.bin', name));
  }
}

/** The samples of a document: code blocks whose first line names a file. */
export function samplesOf(document: string): Map<string, string> {
  const text = readFileSync(join(REPOSITORY, document), 'utf8');
  const blocks = text.matchAll(/```ts\n\/\/ (\S+\.ts)[^\n]*\n([\s\S]*?)```/g);
  return new Map(Array.from(blocks, ([, path = '', code = '']) => [path, code]));
}
