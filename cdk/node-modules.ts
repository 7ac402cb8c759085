import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import type { Construct } from 'constructs';
import type { Platform } from './native-files.ts';
import { extract, type NpmLock } from './npm-lock.ts';
import { refuse } from './refuse.ts';

const NPM_LOCKS = ['package-lock.json', 'npm-shrinkwrap.json'];
const OTHER_LOCKS = ['pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];

interface Wanted {
  /** Packages that the functions have beside their bundles. */
  names: readonly string[];
  /** The folder that imports them. */
  from: string;
  /** Where the functions run. */
  target: Platform;
  /** Further variables for npm. */
  environment: Readonly<Record<string, string>>;
}

/**
 * Installs packages as the lockfile of the project that imports them has them, but for the
 * platform of the functions.
 *
 * @returns a new folder, whose `node_modules` they are in
 * @throws FanfoldPropsError when there is no lockfile that npm can install them from
 */
export function installNodeModules(
  scope: Construct,
  { names, from, target, environment }: Wanted,
): string {
  const path = lockOf(scope, names, from);
  const root = dirname(path);
  const { overrides, allowScripts } = jsonOf(scope, join(root, 'package.json')) as PackageJson;
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-modules-'));
  const write = (name: string, value: object) =>
    writeFileSync(join(folder, name), JSON.stringify(value));
  const { dependencies, lock } = extracted(scope, path, { names, from });
  const project = { name: 'modules', version: '0.0.0', private: true, dependencies };
  write('package.json', { ...project, overrides, allowScripts });
  write('package-lock.json', { name: project.name, version: project.version, ...lock });
  // It may say where a registry is, and how to log in there.
  const npmrc = join(root, '.npmrc');
  if (existsSync(npmrc)) copyFileSync(npmrc, join(folder, '.npmrc'));
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'],
    {
      cwd: folder,
      // The standard output may be the CDK's.
      stdio: ['ignore', 'ignore', 'inherit'],
      // There it is a script.
      shell: process.platform === 'win32',
      env: { ...process.env, ...settingsOf(target), ...environment },
    },
  );
  if (status === 0) return folder;
  rmSync(folder, { recursive: true });
  const ended = error ? `: ${error.message}` : `, exit status ${status}. Its errors are above`;
  refuse(scope, `npm could not install ${names.join(', ')} as ${path} has them${ended}.`);
}

/** What npm chooses optional dependencies by, and install scripts the build to download. */
function settingsOf({ os, cpu, libc = '' }: Platform): Record<string, string> {
  return {
    npm_config_os: os,
    npm_config_cpu: cpu,
    npm_config_libc: libc,
    npm_config_platform: os,
    npm_config_arch: cpu,
  };
}

interface PackageJson {
  overrides?: object;
  allowScripts?: object;
}

function extracted(
  scope: Construct,
  path: string,
  { names, from }: Pick<Wanted, 'names' | 'from'>,
): ReturnType<typeof extract> {
  const lock = jsonOf(scope, path) as Partial<NpmLock>;
  const { packages } = lock;
  if (packages === undefined) {
    refuse(
      scope,
      `${path} is of npm 6 or earlier, and does not say what other platforms need. Write it anew: npm install --package-lock-only --lockfile-version 3`,
    );
  }
  const root = dirname(path);
  try {
    return extract({ packages }, { from: relative(root, from).split(sep).join('/'), root, names });
  } catch (error) {
    refuse(scope, `\`nodeModules\`: ${path} ${(error as Error).message}.`);
  }
}

function jsonOf(scope: Construct, path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    refuse(scope, `${path} can't be read: ${(error as Error).message}.`);
  }
}

/** The nearest lockfile, in the folder or above it. */
function lockOf(scope: Construct, names: readonly string[], from: string): string {
  const wants = `\`nodeModules\` (${names.join(', ')}) are installed by npm, as a package-lock.json has them`;
  for (let folder = from; ; folder = dirname(folder)) {
    const [found] = NPM_LOCKS.map((name) => join(folder, name)).filter(existsSync);
    if (found !== undefined) return found;
    const other = OTHER_LOCKS.find((name) => existsSync(join(folder, name)));
    if (other !== undefined) {
      refuse(
        scope,
        `${wants}; ${folder} has a ${other} instead, which names no builds for other platforms to npm. Write one beside it: npm install --package-lock-only, in ${folder}. Or give them a folder of their own, with your tasks module, a package.json and a package-lock.json.`,
      );
    }
    if (dirname(folder) === folder) {
      refuse(
        scope,
        `${wants}; there is none in ${from}, nor above it. Write it: npm install, where your package.json is.`,
      );
    }
  }
}
