import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { parse } from 'jsonc-parser';
import { textOf } from './files.ts';

/** Facts about a tsconfig.json, with what it extends. */
export interface TsConfig {
  path: string;
  /** True if modules may import each other by their `.ts` names, as Node requires. */
  importsTypeScript: boolean;
  /** True if it assigns output paths to the files that it includes. */
  emits: boolean;
  /** True if it includes all TypeScript files below it. */
  takesAll: boolean;
  /** Folders that it leaves out: named, or its output's. */
  excluded: string[];
  /** True if it resolves types by a package's `exports`, as Fanfold's need. */
  readsExports: boolean;
}

/** @param typescript the version of TypeScript that the project wants, if any */
export function tsconfigIn(
  folders: readonly string[],
  typescript: string | undefined,
): TsConfig | undefined {
  const path = folders.map((each) => join(each, 'tsconfig.json')).find((each) => existsSync(each));
  if (path === undefined) return undefined;
  const { compilerOptions = {}, include, files, exclude } = contentOf(path);
  const { allowImportingTsExtensions, rewriteRelativeImportExtensions } = compilerOptions;
  const { noEmit, outDir, rootDir } = compilerOptions;
  return {
    path,
    importsTypeScript: (allowImportingTsExtensions ?? rewriteRelativeImportExtensions) === true,
    emits: noEmit !== true && (outDir ?? rootDir) !== undefined,
    takesAll: include ? include.some((each) => /^(?:\.\/)?(?:\*|\.?$)/.test(each)) : !files,
    excluded: exclude ?? (outDir === undefined ? [] : [outDir]),
    readsExports: readsExports(compilerOptions, typescript),
  };
}

interface Content {
  extends?: string | string[];
  compilerOptions?: Partial<Record<string, unknown>> & { outDir?: string };
  include?: string[];
  files?: string[];
  exclude?: string[];
}

/** A configuration on top of those that it extends. Ones that cannot be found count as empty. */
function contentOf(path: string, above: readonly string[] = []): Content {
  const own: Content = Object(parse(textOf(dirname(path), basename(path)) ?? ''));
  const bases = [own.extends ?? []]
    .flat()
    .flatMap((name) => baseOf(path, name) ?? [])
    .filter((base) => !above.includes(base))
    .map((base) => contentOf(base, [...above, path]));
  const compilerOptions = Object.assign({}, ...bases.map((base) => base.compilerOptions));
  return {
    ...Object.assign({}, ...bases),
    ...own,
    compilerOptions: { ...compilerOptions, ...own.compilerOptions },
  };
}

function baseOf(path: string, name: string): string | undefined {
  const names = [name, `${name}.json`, `${name}/tsconfig.json`];
  if (/^\.\.?\//.test(name) || isAbsolute(name)) {
    const files = names.map((each) => resolve(dirname(path), each));
    return files.find((file) => file.endsWith('.json') && existsSync(file));
  }
  const { resolve: find } = createRequire(path);
  for (const each of names) {
    try {
      return find(each);
    } catch {
      // Not by this name.
    }
  }
  return undefined;
}

/** @see https://www.typescriptlang.org/tsconfig/#moduleResolution, for the defaults */
function readsExports(
  { module, moduleResolution }: Partial<Record<string, unknown>>,
  typescript = '*',
): boolean {
  if (moduleResolution !== undefined) {
    return /^(?:node16|nodenext|bundler)$/i.test(String(moduleResolution));
  }
  if (/^(?:node\d+|nodenext|preserve)$/i.test(String(module))) return true;
  // TypeScript 6 made `bundler` the default.
  const [major = Infinity] = /\d+/.exec(typescript) ?? [];
  return Number(major) >= 6;
}
