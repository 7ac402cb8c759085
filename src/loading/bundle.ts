import { readFile } from 'node:fs/promises';
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

/** What stands for `import.meta` in a bundle. */
const META = 'fanfoldImportMeta';

/** Fanfold's own files, which a worker process has loaded already. */
const OWN = ['..', '../../functions'].map((folder) =>
  fileURLToPath(new URL(`${folder}/`, import.meta.url)),
);

export function isOwn(path: string): boolean {
  return OWN.some((folder) => path.startsWith(folder));
}

/**
 * The esbuild that a project has, else the one that Fanfold finds; undefined where there is none.
 * It is an instance of its own, so that its process can be ended without harm to another user's.
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
      // Perhaps there is one at the other place.
    }
  }
  return undefined;
}

/**
 * A tasks module and all files of its project that it imports as one ES module, which exports the
 * module's exports as `tasks`. Packages stay what they are, to be imported by Node.
 *
 * @throws FanfoldError `BadTask` when esbuild refuses the code
 */
export async function bundleTasks({ build, stop }: Esbuild, path: string): Promise<string> {
  const folder = dirname(path);
  try {
    const { outputFiles } = await build({
      // An entry of its own gives the exports of a CommonJS module too.
      stdin: {
        contents: `export * as tasks from ${JSON.stringify(`./${basename(path)}`)};`,
        resolveDir: folder,
      },
      ...BUNDLED_AS,
      banner: { js: BUNDLED_AS.banner },
      bundle: true,
      write: false,
      // Source maps name files by their way from here.
      outfile: join(folder, 'bundle.js'),
      absWorkingDir: folder,
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
      define: { 'import.meta': META },
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

function refusal(path: string, folder: string, errors: readonly Message[]): string {
  const [first] = errors;
  const more = errors.length > 1 ? ` And ${errors.length - 1} more.` : '';
  return `The tasks module ${path} cannot be used: ${first ? lineOf(first, folder) : 'esbuild failed.'}${more}`;
}

/** As editors and terminals know a place: lines and columns from 1. */
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

/** Leaves packages to Node, and keeps each file's `import.meta`. */
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
      // What a plugin resolves has no tsconfig.json: esbuild has to find it again.
      if (found.external || !isNodes(found.path)) return undefined;
      return external(isPackage ? path : found.path, args);
    });
    build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      if (!text.includes('import.meta')) return undefined;
      const url = JSON.stringify(pathToFileURL(path).href);
      const meta = `const ${META} = globalThis[Symbol.for('${IMPORT_META}')](${url}); `;
      // A first line that names an interpreter must stay the first.
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

/** What a file imports as Node finds it from there. */
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
    // Where it is needed, Node says that it is not there.
    return path;
  }
}

function loaderOf(path: string): Loader {
  const extension = extname(path).slice(1);
  return extension.endsWith('x') ? (extension as Loader) : extension.endsWith('ts') ? 'ts' : 'js';
}
