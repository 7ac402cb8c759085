import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');

/** Packs the repository; returns the tarball. */
export function pack(root: string): string {
  execFileSync('npm', ['run', 'package', '--', '--pack-destination', root], {
    cwd: REPOSITORY,
    stdio: 'pipe',
  });
  const [tarball = ''] = readdirSync(root).filter((name) => name.endsWith('.tgz'));
  return join(root, tarball);
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
  for (const name of ['node', 'esbuild', 'cdk']) {
    symlinkSync(join(REPOSITORY, 'node_modules/.bin', name), join(modules, '.bin', name));
  }
}

/** Pages with samples in TypeScript. */
export const SAMPLED = ['README.md', ...globSync('docs/*.md', { cwd: REPOSITORY })].filter(
  (page) => samplesOf(page).size > 0,
);

/** The samples of a document: code blocks whose first line names a file. */
export function samplesOf(document: string): Map<string, string> {
  return new Map(
    stepsOf(document).flatMap((step) => ('path' in step ? [[step.path, step.code]] : [])),
  );
}

/** The files and the commands of a document, in the order in which a reader meets them. */
export function stepsOf(document: string): ({ path: string; code: string } | { run: string })[] {
  const text = readFileSync(join(REPOSITORY, document), 'utf8');
  const blocks = text.matchAll(/```(?:ts\n\/\/ (\S+\.ts)[^\n]*\n|sh\n)([\s\S]*?)```/g);
  return Array.from(blocks, ([, path, code = '']) => (path ? { path, code } : { run: code }));
}
