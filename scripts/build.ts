// Builds the package into a folder: built JavaScript, and a package.json that names it. Node strips no
// types below node_modules, and the repository's own package.json must go on naming the sources.
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { bundlePage, PAGES } from '../src/report/page.ts';
import { BUNDLE, bundle, ENTRIES } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..');

interface Manifest {
  exports: Record<string, Target>;
  imports: Record<string, Target>;
}

interface Target {
  default: string;
}

/** The package's package.json: entry points are built files; fields for developers are left out. */
function manifest(): object {
  const { scripts, devDependencies, allowScripts, ...published } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as Manifest & Record<string, unknown>;
  return { ...published, exports: built(published.exports), imports: built(published.imports) };
}

function built(targets: Record<string, Target>): object {
  return Object.fromEntries(
    Object.entries(targets).map(([name, { default: source }]) => {
      if (!source.endsWith('.ts')) return [name, source];
      if (source === `./${ENTRIES.cli}`) return [name, `./${BUNDLE}/cli.js`];
      const path = `./${builtOf(source)}`;
      return [name, { types: `${path}.d.ts`, default: `${path}.js` }];
    }),
  );
}

/** Path of a source file's built one, without its extension. */
function builtOf(source: string): string {
  return join('dist', source).slice(0, -'.ts'.length);
}

/** Writes the bundle, and puts its files in place of those that are started from built ones. */
async function bundleCommands(folder: string): Promise<void> {
  await bundle(folder);
  const { cli, ...started } = ENTRIES;
  rmSync(join(folder, dirname(builtOf(cli))), { recursive: true });
  for (const [name, source] of Object.entries(started)) {
    const built = builtOf(source);
    const bundled = relative(dirname(built), join(BUNDLE, `${name}.js`));
    writeFileSync(join(folder, `${built}.js`), `export * from '${bundled}';\n`);
  }
}

/** Builds the package, as npm would unpack it. Throws what tsc ends with, which prints its errors. */
export async function buildPackage(folder: string): Promise<void> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const project = join(ROOT, 'tsconfig.build.json');
  execFileSync(process.execPath, [tsc, '--project', project, '--outDir', join(folder, 'dist')], {
    stdio: 'inherit',
  });
  await bundleCommands(folder);
  for (const [name, entry] of Object.entries(PAGES)) {
    const page = await bundlePage(join(ROOT, 'page', entry));
    writeFileSync(join(folder, `dist/src/report/${name}-page.json`), JSON.stringify(page));
  }
  for (const name of ['bin', 'README.md', 'CHANGELOG.md', 'LICENSE']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
}
