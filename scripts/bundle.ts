// Bundles the command line, and what it starts, into a few files. Loading hundreds of modules is
// most of what a short command costs.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/** Folder of the bundle in the package: all of its files are in it. */
export const BUNDLE = 'dist/bundle';

/** The bundle's files that others name, and their sources. Other files are parts that they share. */
export const ENTRIES = {
  cli: 'src/cli/main.ts',
  child: 'src/processes/child.ts',
  thread: 'src/emulator/sqs/store/thread.ts',
};

/** Packages that look for files beside their own, and what the package itself exports. */
const EXTERNAL = ['esbuild', 'open', 'fanfold/*'];

/** Keeps the place of each source file, beside which Fanfold finds its pages and processes. */
const places: Plugin = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\](src|cdk)[/\\].*\.ts$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8');
      if (!contents.includes('import.meta.url')) return undefined;
      const built = relative(ROOT, path).replaceAll(sep, '/').replace(/\.ts$/, '.js');
      const url = `new URL('../${built}', import.meta.url).href`;
      return { contents: contents.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

/** Writes the bundle, and the licenses of the packages in it, into the package's folder. */
export async function bundle(folder: string): Promise<void> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: join(folder, BUNDLE),
    bundle: true,
    splitting: true,
    metafile: true,
    chunkNames: 'part-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // jsonc-parser's other form requires its files in a way that no bundler sees.
    mainFields: ['module', 'main'],
    external: EXTERNAL,
    minifyWhitespace: true,
    minifySyntax: true,
    // Node prints the line of an uncaught error.
    lineLimit: 200,
    // CommonJS packages call it.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    plugins: [places],
    logLevel: 'warning',
  });
  writeFileSync(join(folder, BUNDLE, 'LICENSES.txt'), licensesOf(metafile));
}

/** The licenses of the packages of which a bundle contains code, as most of them demand. */
function licensesOf({ inputs }: Metafile): string {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path)?.[0] ?? [],
  );
  const packages = [...new Set(folders)].toSorted().map((folder) => {
    const path = join(ROOT, folder);
    const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    const files = readdirSync(path).filter((file) => /^(licen[cs]e|notice)\b/i.test(file));
    const text = files.map((file) => readFileSync(join(path, file), 'utf8').trim()).join('\n\n');
    return { named: `${name} ${version} (${license})`, text };
  });
  // Packages of one author have the same text.
  const sections = Array.from(
    Map.groupBy(packages, ({ text }) => text),
    ([text, those]) => [...those.map(({ named }) => named), '', text].join('\n').trim(),
  );
  return `${['The files in this folder contain code of these packages.', ...sections].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
