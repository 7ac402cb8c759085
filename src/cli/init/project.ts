import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { tasksIn } from '../tasks-module.ts';
import { upwards } from './files.ts';
import { type Manifest, packagesOf, readManifest, refuseOthers, valueAt } from './manifest.ts';
import { VERSIONS } from './packages.ts';
import { type TsConfig, tsconfigIn } from './tsconfig.ts';

/** Facts about a folder, found without asking the user. */
export interface Project {
  folder: string;
  manifest: Manifest;
  /** True if the folder has a package.json yet. */
  isNew: boolean;
  /** The top folder of a monorepo, or the folder itself. */
  root: string;
  /** The top folder of the git repository, if there is one. */
  repository: string | undefined;
  manager: PackageManager;
  /** Packages of the project and of its monorepo's top folder, with the versions wanted. */
  packages: ReadonlyMap<string, string>;
  /** Whether Node takes `.ts` files of the project for ES modules, as package.json says. */
  isModule: boolean;
  /** The tasks module that package.json names, relative to the folder. */
  tasks: string | undefined;
  /** The nearest tsconfig.json of the project or its monorepo. */
  tsconfig: TsConfig | undefined;
}

export type PackageManager = 'npm' | 'pnpm' | 'yarn' | 'bun';

const LOCKS: readonly [file: string, manager: PackageManager][] = [
  ['package-lock.json', 'npm'],
  ['npm-shrinkwrap.json', 'npm'],
  ['pnpm-lock.yaml', 'pnpm'],
  ['yarn.lock', 'yarn'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
];

/** Looks at a folder. @throws FanfoldError `BadOption` if its package.json cannot be used */
export function projectIn(folder: string): Project {
  const file = join(folder, 'package.json');
  const isNew = !existsSync(file);
  const manifest = isNew ? newManifest(folder) : readManifest(file);
  refuseOthers(file, manifest, ['scripts', 'dependencies', 'devDependencies', 'allowScripts']);
  const folders = [...upwards(folder)];
  const root = folders.find(hasWorkspaces) ?? folder;
  const repository = folders.find((each) => existsSync(join(each, '.git')));
  const top = join(root, 'package.json');
  const shared = root !== folder && existsSync(top) ? packagesOf(readManifest(top)) : [];
  const own = folders.slice(0, folders.indexOf(root) + 1);
  const packages = new Map([...shared, ...packagesOf(manifest)]);
  return {
    ...{ folder, manifest, isNew, root, repository },
    manager: managerOf(own),
    packages,
    isModule: valueAt(manifest, ['type']) === 'module',
    tasks: isNew ? undefined : tasksIn(file, 'Correct it, and try again.'),
    tsconfig: tsconfigIn(own, packages.get('typescript')),
  };
}

function hasWorkspaces(folder: string): boolean {
  if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return true;
  const file = join(folder, 'package.json');
  return existsSync(file) && valueAt(readManifest(file), ['workspaces']) !== undefined;
}

function managerOf(folders: readonly string[]): PackageManager {
  for (const folder of folders) {
    const found = LOCKS.find(([lock]) => existsSync(join(folder, lock)));
    if (found !== undefined) return found[1];
  }
  const [running] = (process.env.npm_config_user_agent ?? '').split('/');
  return LOCKS.find(([, manager]) => manager === running)?.[1] ?? 'npm';
}

/** A package.json for a new project. npm refuses a name of a package that the project depends on. */
function newManifest(folder: string): Manifest {
  const plain = basename(folder)
    .toLowerCase()
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '');
  const isTaken = plain === '' || plain === 'fanfold' || plain in VERSIONS;
  const name = isTaken ? `${plain || 'my'}-tasks` : plain.slice(0, 100);
  const content = { name, private: true, type: 'module' };
  return { text: `${JSON.stringify(content, null, 2)}\n`, content };
}
