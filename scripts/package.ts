// `npm run package`: makes the package's tarball from a folder of its own, which holds built JavaScript
// and a package.json that names it. Node strips no types below node_modules, and the repository's
// own package.json, which names the sources, must stay as it is even when packing fails.
// Arguments are those of `npm pack`.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { bundlePage, PAGES } from '../src/report/page.ts';
import { BUNDLE, bundle, ENTRIES } from './bundle.ts';

const ROOT = join(import.meta.dirname, '..');
/** Relative paths in npm's arguments are relative to the folder that npm was called in. */
const FROM = process.env.INIT_CWD ?? process.cwd();

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

async function pack(folder: string): Promise<void> {
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
  // npm passes its own path: on Windows, npm is not an executable that can be started by name.
  const { npm_execpath: npm } = process.env;
  const [command, args] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  execFileSync(command, [...args, 'pack', folder, ...process.argv.slice(2)], {
    cwd: FROM,
    stdio: 'inherit',
  });
}

const folder = mkdtempSync(join(tmpdir(), 'fanfold-pack-'));
try {
  await pack(folder);
} catch (error) {
  // tsc or npm, which has printed why it failed.
  if (!(error instanceof Error && 'status' in error && typeof error.status === 'number'))
    throw error;
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}
