import { open, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, extname, isAbsolute, join, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type {
  BuildFailure,
  Loader,
  Message,
  OnResolveArgs,
  OnResolveResult,
  Plugin,
} from 'esbuild';
import { BUNDLED_AS } from '../../cdk/bundled-as.ts';
import { FanfoldError } from '../errors.ts';
import { isTypeScript } from './loaders.ts';
import { IMPORT_META, specifierOf } from './specifier.ts';

type Esbuild = typeof import('esbuild');

/** Identifier that replaces `import.meta` in a bundle. */
const META = 'fanfoldImportMeta';

/** Files that are open while a process with two pipes starts, and some to spare. */
const PIPE_FILES = 12;

/** Folders of Fanfold's own files, which a worker process has loaded already. */
const OWN = ['..', '../../functions'].map((folder) =>
  fileURLToPath(new URL(`${folder}/`, import.meta.url)),
);

export function isOwn(path: string): boolean {
  return OWN.some((folder) => path.startsWith(folder));
}

/**
 * Loads the project's esbuild, else the one that Fanfold finds; undefined if there is none. The
 * module is a separate instance, so that stopping its process does not affect other users of it.
 */
export function findEsbuild(path: string): Esbuild | undefined {
  for (const from of [path, import.meta.url]) {
    const require = createRequire(from);
    try {
      const main = require.resolve('esbuild');
      const others = require.cache[main];
      delete require.cache[main];
      try {
        return require(main) as Esbuild;
      } finally {
        if (others === undefined) delete require.cache[main];
        else require.cache[main] = others;
      }
    } catch {
      // The other place may have one.
    }
  }
  return undefined;
}

/**
 * Bundles a tasks module and the project files that it imports into one ES module, which exports
 * the module's exports as `tasks`. Packages are not bundled: Node imports them.
 *
 * @throws FanfoldError `BadTask` when esbuild rejects the code
 */
export async function bundleTasks({ build, stop }: Esbuild, path: string): Promise<string> {
  const folder = dirname(path);
  await probeFiles(path);
  try {
    const { outputFiles } = await build({
      // With this entry, the exports of a CommonJS module are available too.
      stdin: {
        contents: `export * as tasks from ${JSON.stringify(`./${basename(path)}`)};`,
        resolveDir: folder,
      },
      ...BUNDLED_AS,
      banner: { js: BUNDLED_AS.banner },
      bundle: true,
      write: false,
      // Paths in source maps are relative to this file's folder.
      outfile: join(folder, 'bundle.js'),
      absWorkingDir: folder,
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
      define: {
        'import.meta': META,
        __filename: `${META}.filename`,
        __dirname: `${META}.dirname`,
      },
      plugins: [OF_FILES],
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    const { errors } = error as Partial<BuildFailure>;
    if (errors === undefined) throw error;
    throw new FanfoldError('BadTask', refusal(path, folder, errors), { cause: error });
  } finally {
    void stop();
  }
}

/**
 * Rejects with `EMFILE` where esbuild cannot open the pipes to its process: it would leave that
 * error of its process without a listener, which ends this one.
 */
async function probeFiles(path: string): Promise<void> {
  const opened = await Promise.allSettled(Array.from({ length: PIPE_FILES }, () => open(path)));
  for (const one of opened) if (one.status === 'fulfilled') await one.value.close();
  const refused = opened.find((one) => one.status === 'rejected');
  if (refused) throw refused.reason;
}

function refusal(path: string, folder: string, errors: readonly Message[]): string {
  const [first] = errors;
  const more = errors.length > 1 ? ` And ${errors.length - 1} more errors.` : '';
  return `The tasks module ${path} cannot be used: ${first ? lineOf(first, folder) : 'esbuild failed.'}${more}`;
}

/** Formats a message as editors and terminals expect it: lines and columns count from 1. */
function lineOf({ location, text, notes }: Message, folder: string): string {
  const place = location
    ? `${join(folder, location.file)}:${location.line}:${location.column + 1}: `
    : '';
  const [note] = notes;
  return `${place}${sentence(text)}${note ? ` ${sentence(note.text)}` : ''}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Leaves packages to Node, and keeps each file's `import.meta`, `__filename` and `__dirname`. */
const OF_FILES: Plugin = {
  name: 'fanfold',
  setup(build) {
    build.onResolve({ filter: /./ }, async ({ path, ...args }) => {
      if (args.kind === 'entry-point' || args.pluginData === OF_FILES) return undefined;
      const { importer, namespace, resolveDir, kind, with: attributes } = args;
      const found = await build.resolve(path, {
        ...{ importer, namespace, resolveDir, kind, with: attributes, pluginData: OF_FILES },
      });
      const isPackage = !/^\.{0,2}[/\\]/.test(path) && !isAbsolute(path);
      if (found.errors.length > 0) return isPackage ? external(path, args) : undefined;
      // esbuild ignores tsconfig.json for files that a plugin resolves: let it resolve them itself.
      if (found.external || !isNodes(found.path)) return undefined;
      return external(isPackage ? path : found.path, args);
    });
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!/import\.meta|__filename|__dirname/.test(text)) return undefined;
      const url = JSON.stringify(pathToFileURL(path).href);
      const meta = `const ${META} = globalThis[Symbol.for('${IMPORT_META}')](${url}); `;
      // A shebang must stay the first line.
      const [shebang = ''] = /^#!.*\n/.exec(text) ?? [];
      return { contents: shebang + meta + text.slice(shebang.length), loader: loaderOf(path) };
    });
  },
};

/** Whether Node loads a file as it would without a bundle. It loads no TypeScript of packages. */
function isNodes(path: string): boolean {
  if (isOwn(path) || path.endsWith('.node')) return true;
  return path.includes(`${sep}node_modules${sep}`) && !isTypeScript(path) && !/\.json$/.test(path);
}

/** Leaves an import to Node, which resolves it from the importing file. */
function external(path: string, { importer, kind }: Omit<OnResolveArgs, 'path'>): OnResolveResult {
  if (kind.startsWith('require')) return { path: requiredBy(importer, path), external: true };
  const specifier = isAbsolute(path) ? pathToFileURL(path).href : path;
  const parentURL = pathToFileURL(importer).href;
  return { path: specifierOf({ specifier, parentURL }), external: true };
}

function requiredBy(importer: string, path: string): string {
  try {
    return createRequire(importer).resolve(path);
  } catch {
    // Node reports the missing module if it is needed.
    return path;
  }
}

function loaderOf(path: string): Loader {
  const extension = extname(path).slice(1);
  return extension.endsWith('x') ? (extension as Loader) : extension.endsWith('ts') ? 'ts' : 'js';
}
