// Bundles the command line, and what it starts, into a few files. Loading hundreds of modules is
// most of what a short command costs.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/** Folder of the bundle in the package: all of its files are in it. */
export const BUNDLE = 'dist/bundle';

/** The bundle's files that others name, and their sources. */
export const ENTRIES = {
  cli: 'src/cli/main.ts',
  child: 'src/processes/child.ts',
  thread: 'src/emulator/sqs/store/thread.ts',
  tasks: 'functions/tasks/index.ts',
};

/** Commands of which each has a part of its own, since it must start fast. All others are one part. */
const FAST = ['run', 'tasks'];

/** Packages that look for files beside their own, and what the package itself exports. */
const EXTERNAL = ['esbuild', 'open', 'fanfold/*'];

/**
 * Prepares the source files. Each keeps its place, beside which Fanfold finds its pages and
 * processes. What it imports by way of a file of exports, it imports from where that is: esbuild
 * loads with a file all that its imports lead to, used or not.
 */
const sources: Plugin = {
  name: 'sources',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\](src|cdk)[/\\].*\.ts$/ }, ({ path }) => {
      const built = relative(ROOT, path).replaceAll(sep, '/').replace(/\.ts$/, '.js');
      const url = `new URL('../${built}', import.meta.url).href`;
      const contents = readFileSync(path, 'utf8').replaceAll('import.meta.url', url);
      return { contents: directly(contents, dirname(path)), loader: 'ts' };
    });
  },
};

/** Files that only export what others have. */
const BARRELS = ['src/index.ts', 'src/internal.ts', 'src/handlers.ts'].map((file) =>
  join(ROOT, file),
);

const IMPORT = /^(import|export) \{([^}]*)\} from '([^']+)';$/gm;
const EXPORT = /^export (?:type )?\{([^}]*)\} from '([^']+)';$/gm;

/** The public API's calls, each of which loads its file. A command needs that at once. */
const CALLS = join(ROOT, 'src/calls.ts');
const CALL = /\(await import\('([^']+)'\)\)\.(\w+)\(/g;

/** The origin of each export of such a file. */
const origins = new Map(BARRELS.map((barrel) => [barrel, originsIn(barrel)]));

function originsIn(barrel: string): Map<string, string> {
  if (!existsSync(barrel)) return new Map();
  const exported = readFileSync(barrel, 'utf8').matchAll(EXPORT);
  const called = existsSync(CALLS) ? readFileSync(CALLS, 'utf8').matchAll(CALL) : [];
  const calls = new Map(
    Array.from(called, ([, from = '', name = '']) => [name, join(dirname(CALLS), from)]),
  );
  return new Map(
    Array.from(exported).flatMap(([, names = '', from = '']) => {
      const file = join(dirname(barrel), from);
      return namesIn(names).map((name): [string, string] => [
        name,
        (file === CALLS ? calls.get(name) : undefined) ?? file,
      ]);
    }),
  );
}

function namesIn(list: string): string[] {
  return list.split(',').flatMap((name) => name.trim().replace(/^type /, '') || []);
}

/** Replaces the imports from files that only export by imports from the files that have the names. */
function directly(contents: string, folder: string): string {
  return contents.replaceAll(IMPORT, (whole, verb: string, names: string, from: string) => {
    const exported = origins.get(join(folder, from));
    if (exported === undefined) return whole;
    const values = names.split(',').filter((name) => !/^\s*(type |$)/.test(name));
    return values
      .map((name) => {
        const [own = ''] = name.trim().split(' ');
        return `${verb} { ${name.trim()} } from ${JSON.stringify(exported.get(own))};`;
      })
      .join(' ');
  });
}

const builtin = (name: string) => `process.getBuiltinModule(${name})`;

/**
 * Takes Node's modules without what an import makes of them: it reads all of their exports, and one
 * of node:http loads an HTTP client of 17 ms.
 */
const builtins: Plugin = {
  name: 'builtins',
  setup({ onResolve, onLoad }) {
    const namespace = 'builtin';
    onResolve({ filter: /^[a-z:_/]+$/ }, ({ path, kind }) =>
      isBuiltin(path) && kind === 'import-statement' ? { path, namespace } : undefined,
    );
    onLoad({ filter: /./, namespace }, ({ path }) => ({
      contents: `module.exports = ${builtin(JSON.stringify(path))};`,
    }));
    onLoad({ filter: /[/\\]@smithy[/\\].*\.js$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll(/\bimport\(("node:[\w/]+")\)/g, (_, name) =>
        builtin(name),
      ),
    }));
  },
};

/** Loads all other commands as one part: a process loads each file in 2 ms. */
const others: Plugin = {
  name: 'others',
  setup({ onResolve, onLoad }) {
    const namespace = 'others';
    const folder = join(ROOT, 'src/cli');
    const importer = join(folder, 'commands.ts');
    const loaded = existsSync(importer) ? readFileSync(importer, 'utf8').matchAll(COMMAND) : [];
    const files = Array.from(loaded, ([, name = '']) => name).filter(
      (name) => !FAST.includes(name),
    );
    onResolve({ filter: /^\.\/[a-z]+\.ts$/ }, (args) => {
      const [name = ''] = args.path.slice('./'.length).split('.');
      if (args.kind !== 'dynamic-import' || args.importer !== importer) return undefined;
      return files.includes(name) ? { path: 'others', namespace } : undefined;
    });
    onLoad({ filter: /./, namespace }, () => ({
      contents: files.map((name) => `export * from './${name}.ts';`).join('\n'),
      resolveDir: folder,
    }));
  },
};

const COMMAND = /import\('\.\/([a-z]+)\.ts'\)/g;

/** Packages, by the names of their files, that a process loads when it needs them. */
type Late = Map<string, string>;

/** Leaves what is loaded late of packages to another bundle, so that this one has fewer files. */
function leaving(late: Late): Plugin {
  return {
    name: 'late',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /./ }, async ({ path, kind, pluginData, resolveDir, importer }) => {
        if (kind !== 'dynamic-import' || pluginData === late) return undefined;
        const found = await resolve(path, { kind, resolveDir, importer, pluginData: late });
        const [, own] = /.*node_modules[/\\](.*)\.m?js$/.exec(found.path) ?? [];
        if (own === undefined || found.external) return undefined;
        const name = `late-${own.replaceAll(/[^\w]+/g, '-')}`;
        late.set(name, found.path);
        return { path: `./${name}.js`, external: true };
      });
    },
  };
}

/** Writes the bundle, and the licenses of the packages in it, into the package's folder. */
export async function bundle(folder: string): Promise<void> {
  const late: Late = new Map();
  const { cli, ...started } = ENTRIES;
  const one = (entries: Record<string, string>, plugins: Plugin[]) =>
    buildFiles(join(folder, BUNDLE), entries, plugins);
  const inputs = [
    await one({ cli }, [leaving(late), others]),
    // Each in one file.
    ...(await Promise.all(
      Object.entries(started).map(([name, source]) => one({ [name]: source }, [leaving(late)])),
    )),
    await one(Object.fromEntries(late), []),
  ];
  writeFileSync(join(folder, BUNDLE, 'LICENSES.txt'), licensesOf(inputs.flat()));
}

/** Bundles files, and returns the paths of the sources. */
async function buildFiles(
  outdir: string,
  entryPoints: Record<string, string>,
  plugins: Plugin[],
): Promise<string[]> {
  const { metafile } = await build({
    ...{ absWorkingDir: ROOT, entryPoints, outdir, bundle: true, splitting: true, metafile: true },
    ...{ platform: 'node', format: 'esm', target: 'node24', chunkNames: 'part-[hash]' },
    // jsonc-parser's other form requires its files in a way that no bundler sees.
    mainFields: ['module', 'main'],
    external: EXTERNAL,
    // CommonJS packages call it.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    plugins: [...plugins, sources, builtins],
    logLevel: 'warning',
  });
  return Object.keys(metafile.inputs);
}

/** The licenses of the packages of which the bundle contains code, as most of them demand. */
function licensesOf(inputs: readonly string[]): string {
  const folders = inputs.flatMap(
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
