import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { VERSION } from '../../index.ts';
import { upwards } from './files.ts';
import { packagesOf, readManifest } from './manifest.ts';

/** Versions that new projects get: those that this release is tested with. */
export const VERSIONS = {
  '@types/node': '^24.19.2',
  'aws-cdk': '^2.1148.1',
  'aws-cdk-lib': '^2.276.0',
  constructs: '^10.8.1',
  esbuild: '^0.28.2',
  node: '^24.21.0',
  typescript: '^7.0.2',
  zod: '^4.6.7',
} as const;

/**
 * The oldest versions that Fanfold works with: of Zod the first that is a Standard Schema, of TypeScript
 * the first that knows all options of a new project's tsconfig.json.
 */
const OLDEST = {
  'aws-cdk-lib': [2, 276],
  esbuild: [0, 25],
  typescript: [5, 8],
  zod: [3, 24],
} as const;

/** Sentences about packages of a project that are too old for Fanfold. */
export function tooOld(folders: readonly string[], packages: ReadonlyMap<string, string>) {
  return Object.entries(OLDEST).flatMap(([name, [major, minor]]) => {
    const wanted = packages.get(name);
    if (wanted === undefined) return [];
    const files = folders.map((folder) => join(folder, 'node_modules', name, 'package.json'));
    const installed = files.find((file) => existsSync(file));
    const version = installed ? String(readManifest(installed).content.version) : wanted;
    const [, range, hasMajor, hasMinor] = /^([\^~=v]*)(\d+)\.(\d+)/.exec(version) ?? [];
    // Installation can bring any later version of a caret's major.
    const newest = range === '^' ? Infinity : Number(hasMinor);
    const distance = Number(hasMajor) - major || newest - minor;
    if (range === undefined || distance >= 0) return [];
    return [`${name} ${version} is too old: Fanfold needs ${major}.${minor} or later.`];
  });
}

/** The version or path by which a project can depend on this copy of Fanfold. */
export interface OwnSource {
  /** The version, or `file:` and the path of what this copy was installed from. */
  wanted: string;
  /** A tarball that does not exist yet, and the clone that makes it. */
  missing?: { tarball: string; clone: string };
}

/** Finds out where this copy of Fanfold comes from: npm's registry, a file, or a clone. */
export function ownSource(folder: string): OwnSource {
  return sourceOf(dirname(fileURLToPath(import.meta.resolve('fanfold/package.json'))), folder);
}

/** @param own folder of this copy's package.json */
export function sourceOf(own: string, folder: string): OwnSource {
  const at = (path: string) => `file:${relative(folder, path).split(sep).join('/')}`;
  const modules = dirname(resolve(own));
  if (!modules.endsWith(`${sep}node_modules`)) {
    const tarball = join(resolve(own), `fanfold-${VERSION}.tgz`);
    const missing = existsSync(tarball) ? {} : { missing: { tarball, clone: resolve(own) } };
    return { wanted: at(tarball), ...missing };
  }
  // npx and its like install in a folder with a package.json, which may be far above: pnpm and Yarn
  // keep packages in a store there.
  for (const installer of upwards(dirname(modules))) {
    const manifest = join(installer, 'package.json');
    const packages = existsSync(manifest) ? packagesOf(readManifest(manifest)) : [];
    const wanted = new Map(packages).get('fanfold');
    if (wanted === undefined) continue;
    const isFile = /^file:|^(?!\w+:).*\.tgz$/.test(wanted);
    if (isFile) return { wanted: at(resolve(installer, wanted.replace(/^file:/, ''))) };
    break;
  }
  return { wanted: `^${VERSION}` };
}
