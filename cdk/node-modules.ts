import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { Construct } from 'constructs';
import type { Platform } from './native-files.ts';
import { extract, type NpmLock } from './npm-lock.ts';
import { refuse } from './refuse.ts';

const PNPM_LOCK = 'pnpm-lock.yaml';
/** Lockfiles by precedence within a folder. */
const LOCKS = ['package-lock.json', 'npm-shrinkwrap.json', PNPM_LOCK];
const OTHER_LOCKS = ['yarn.lock', 'bun.lock', 'bun.lockb'];

interface Wanted {
  /** Packages to install beside the functions' bundles. */
  names: readonly string[];
  /** The folder that imports them. */
  from: string;
  /** Platform of the functions. */
  target: Platform;
  /** Additional environment variables for the package manager. */
  environment: Readonly<Record<string, string>>;
}

/** A project to install in: its files and the install command. */
interface Project {
  packageJson: object;
  /** The lockfile: its text, or the path of one to copy. */
  lock: { text: string } | { path: string };
  command: [program: string, ...args: string[]];
}

/**
 * Installs packages in the versions of the importing project's lockfile, for the platform of the
 * functions.
 *
 * @returns a new folder, whose `node_modules` contain the packages
 * @throws FanfoldPropsError when there is no lockfile that they can be installed from
 */
export function installNodeModules(scope: Construct, wanted: Wanted): string {
  const { names, target, environment } = wanted;
  const path = lockOf(scope, wanted);
  const isPnpm = basename(path) === PNPM_LOCK;
  const { packageJson, lock, command } = (isPnpm ? pnpmProject : npmProject)(scope, path, wanted);
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-modules-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify(packageJson));
  const lockPath = join(folder, isPnpm ? PNPM_LOCK : 'package-lock.json');
  if ('text' in lock) writeFileSync(lockPath, lock.text);
  else copyFileSync(lock.path, lockPath);
  // Settings for registries and credentials, overrides and allowed scripts.
  for (const settings of ['.npmrc', ...(isPnpm ? ['pnpm-workspace.yaml'] : [])]) {
    const given = join(dirname(path), settings);
    if (existsSync(given)) copyFileSync(given, join(folder, settings));
  }
  const [program, ...args] = command;
  const { status, error } = spawnSync(program, args, {
    cwd: folder,
    // The CDK may use standard output, so pnpm's, which has its errors, goes to standard error.
    stdio: ['ignore', isPnpm ? 2 : 'ignore', 2],
    // On Windows, the package manager is a script.
    shell: process.platform === 'win32',
    env: { ...process.env, ...settingsOf(target), ...environment },
  });
  if (status !== 0) {
    rmSync(folder, { recursive: true });
    const ended = error ? `: ${error.message}` : `, exit status ${status}. Its errors are above`;
    const needed = isPnpm ? ' This needs pnpm 10.14 or later.' : '';
    refuse(
      scope,
      `${program} could not install ${names.join(', ')} as locked in ${path}${ended}.${needed}`,
    );
  }
  // Metadata of the package manager contains times, which would change the asset's hash.
  const modules = join(folder, 'node_modules');
  for (const note of readdirSync(modules).filter((name) => name.startsWith('.'))) {
    rmSync(join(modules, note), { recursive: true });
  }
  return folder;
}

/** The first three select optional dependencies, the others prebuilt binaries to download. */
function settingsOf({ os, cpu, libc = '' }: Platform): Record<string, string> {
  return {
    npm_config_os: os,
    npm_config_cpu: cpu,
    npm_config_libc: libc,
    npm_config_platform: os,
    npm_config_arch: cpu,
  };
}

function npmProject(scope: Construct, path: string, { names, from }: Wanted): Project {
  const root = dirname(path);
  const { packages } = jsonOf<Partial<NpmLock>>(scope, path);
  if (packages === undefined) {
    refuse(
      scope,
      `${path} was written by npm 6 or earlier, and lacks the packages of other platforms. Write it again: npm install --package-lock-only --lockfile-version 3`,
    );
  }
  const { overrides, allowScripts } = jsonOf<Record<string, unknown>>(
    scope,
    join(root, 'package.json'),
  );
  const command: Project['command'] = [
    'npm',
    'ci',
    '--include=optional',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ];
  try {
    const place = relative(root, from).split(sep).join('/');
    const { dependencies, lock } = extract({ packages }, { from: place, root, names });
    const named = { name: 'modules', version: '0.0.0' };
    return {
      packageJson: { ...named, private: true, dependencies, overrides, allowScripts },
      lock: { text: JSON.stringify({ ...named, ...lock }) },
      command,
    };
  } catch (error) {
    refuse(scope, `\`nodeModules\`: ${path} ${(error as Error).message}.`);
  }
}

/** pnpm keeps a lockfile's versions even if the package.json has fewer dependencies. */
function pnpmProject(scope: Construct, path: string, { names, from, target }: Wanted): Project {
  const { pnpm } = jsonOf<Record<string, unknown>>(scope, join(dirname(path), 'package.json'));
  const dependencies = names.map((name) => {
    const installed = packageFrom(from, name);
    if (installed === undefined) {
      refuse(scope, `\`nodeModules\`: ${name} is not installed in ${from}: pnpm add ${name}`);
    }
    const { version } = jsonOf<{ version: string }>(scope, join(installed, 'package.json'));
    return [name, version];
  });
  return {
    packageJson: { private: true, dependencies: Object.fromEntries(dependencies), pnpm },
    lock: { path },
    command: [
      'pnpm',
      'install',
      '--prod',
      '--no-frozen-lockfile',
      // Without links, which an asset does not preserve.
      '--config.node-linker=hoisted',
      '--config.package-import-method=copy',
      '--loglevel=error',
      `--os=${target.os}`,
      `--cpu=${target.cpu}`,
      `--libc=${target.libc}`,
    ],
  };
}

/** Finds a package's folder from a folder, as Node does; undefined if it is not installed. */
export function packageFrom(from: string, name: string): string | undefined {
  const folder = join(from, 'node_modules', name);
  if (existsSync(folder)) return folder;
  return dirname(from) === from ? undefined : packageFrom(dirname(from), name);
}

function jsonOf<Content>(scope: Construct, path: string): Content {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    refuse(scope, `${path} cannot be read: ${(error as Error).message}.`);
  }
}

/** Finds the nearest lockfile, in the folder or above it. */
function lockOf(scope: Construct, { names, from }: Wanted): string {
  const wants = `\`nodeModules\` (${names.join(', ')}) are installed as locked in a package-lock.json or pnpm-lock.yaml`;
  for (let folder = from; ; folder = dirname(folder)) {
    const found = LOCKS.find((name) => existsSync(join(folder, name)));
    if (found !== undefined) return join(folder, found);
    const other = OTHER_LOCKS.find((name) => existsSync(join(folder, name)));
    if (other !== undefined) {
      refuse(
        scope,
        `${wants}; ${folder} has a ${other}, whose package manager cannot install for another platform. Write a lockfile for npm beside it, in ${folder}: npm install --package-lock-only. Or give your tasks module a folder of its own, with a package.json and a package-lock.json.`,
      );
    }
    if (dirname(folder) === folder) {
      refuse(
        scope,
        `${wants}; there is none in or above ${from}. Create it: run npm install where your package.json is.`,
      );
    }
  }
}
