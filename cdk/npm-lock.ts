import { resolve } from 'node:path';

/** A `package-lock.json` of npm 7 or later: https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json */
export interface NpmLock {
  packages: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  /** Present only if it differs from the name that the package is installed by. */
  name?: string;
  version?: string;
  resolved?: string;
  /** A symbolic link to a folder, such as a workspace's. */
  link?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  dev?: boolean;
  devOptional?: boolean;
  peer?: boolean;
}

/** A project that consists only of some packages, in the versions of the original lockfile. */
export interface Extract {
  /** Dependencies of its package.json. */
  dependencies: Record<string, string>;
  lock: NpmLock & { lockfileVersion: 3; requires: true };
}

/**
 * Extracts packages and their dependencies from a lockfile. npm can't install them from the
 * complete one: `npm ci` installs all dependencies of a package.json, and sees a workspace's own
 * copies only in that workspace.
 *
 * @param from the folder that imports them, relative to the lockfile's, with `/`
 * @param root the lockfile's folder
 * @throws Error, whose message completes a sentence, when a package is not in the lockfile or can't
 *   be installed elsewhere
 */
export function extract(
  { packages }: NpmLock,
  { from, root, names }: { from: string; root: string; names: readonly string[] },
): Extract {
  const places = new Map<string, string>();
  const taken: Record<string, LockedPackage> = {};

  const take = (place: string): void => {
    const { [place]: locked = {} } = packages;
    // A workspace's own packages move to the root, where the bundle finds them.
    const moved = place.slice(place.indexOf('node_modules/'));
    const other = places.get(moved);
    if (other === place) return;
    if (other !== undefined) {
      throw new Error(
        `has two versions for one place, ${other} and ${place}: make the packages that need them use the same version`,
      );
    }
    if (locked.link) {
      throw new Error(
        `links ${nameOf(place)} to the folder ${locked.resolved}, which esbuild can bundle: leave it out of \`nodeModules\`, and list the native packages that it needs instead`,
      );
    }
    places.set(moved, place);
    taken[moved] = installable(locked, root);
    const { dependencies, optionalDependencies, peerDependencies } = locked;
    const needed = { ...dependencies, ...optionalDependencies, ...peerDependencies };
    for (const name of Object.keys(needed)) {
      const found = placeOf(packages, place, name);
      if (found !== undefined) take(found);
    }
  };

  const dependencies: Record<string, string> = {};
  for (const name of names) {
    const place = placeOf(packages, from, name);
    if (place === undefined) throw new Error(`does not have ${name}: npm install ${name}`);
    take(place);
    dependencies[name] = specOf(taken[`node_modules/${name}`] ?? {});
  }
  return {
    dependencies,
    lock: { lockfileVersion: 3, requires: true, packages: { '': { dependencies }, ...taken } },
  };
}

/** Path at which Node finds a package that is imported from a folder. */
function placeOf(packages: NpmLock['packages'], from: string, name: string): string | undefined {
  const parts = from.split('/').filter((part) => part !== '' && part !== '.');
  for (let length = parts.length; length >= 0; length -= 1) {
    const place = [...parts.slice(0, length), 'node_modules', name].join('/');
    if (packages[place] !== undefined) return place;
  }
  return undefined;
}

/** Drops the package's role in its project: here, a development dependency is needed too. */
function installable(
  { dev: _dev, devOptional: _devOptional, peer: _peer, ...locked }: LockedPackage,
  root: string,
): LockedPackage {
  const { resolved } = locked;
  if (!resolved?.startsWith('file:')) return locked;
  return { ...locked, resolved: `file:${resolve(root, resolved.slice('file:'.length))}` };
}

function specOf({ name, version = '', resolved = '' }: LockedPackage): string {
  if (/^(file|git)/.test(resolved)) return resolved;
  return name === undefined ? version : `npm:${name}@${version}`;
}

function nameOf(place: string): string {
  return place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
}
