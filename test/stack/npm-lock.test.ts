import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installNodeModules } from '../../cdk/node-modules.ts';
import { extract, type NpmLock } from '../../cdk/npm-lock.ts';
import { emptyStack } from './synthesis.ts';

const PACKAGES: NpmLock['packages'] = {
  '': { dependencies: { codec: '^1.0.0' } },
  'node_modules/codec': {
    version: '1.2.3',
    dev: true,
    dependencies: { bytes: '^2.0.0' },
    optionalDependencies: { 'codec-linux-arm64': '1.2.3', 'codec-sunos': '1.2.3' },
  },
  'node_modules/codec-linux-arm64': { version: '1.2.3', devOptional: true },
  'node_modules/codec/node_modules/bytes': { version: '2.0.0' },
  'node_modules/bytes': { version: '1.0.0' },
  'node_modules/shared': { link: true, resolved: 'packages/shared' },
  'node_modules/renamed': { name: 'codec', version: '1.2.0' },
  'node_modules/tarball': { version: '3.0.0', resolved: 'file:vendor/tarball.tgz' },
  'packages/photos/node_modules/codec': { version: '0.9.0', dependencies: { bytes: '^1.0.0' } },
  'packages/films/node_modules/bytes': { version: '3.0.0' },
};

const taken = (from: string, ...names: string[]) =>
  extract({ packages: PACKAGES }, { from, root: '/project', names });

describe('packages are taken out of a lockfile', () => {
  it('with all that they depend on, also on other platforms, and nothing else', () => {
    const { dependencies, lock } = taken('', 'codec');
    expect(dependencies).toEqual({ codec: '1.2.3' });
    const { '': root, ...packages } = lock.packages;
    expect(root).toEqual({ dependencies });
    expect(Object.keys(packages).sort()).toEqual([
      'node_modules/codec',
      'node_modules/codec-linux-arm64',
      'node_modules/codec/node_modules/bytes',
    ]);
    // The project's development dependencies are not installed for the functions.
    expect(JSON.stringify(lock)).not.toContain('"dev');
  });

  it('as the workspace that imports them has them', () => {
    const { dependencies, lock } = taken('packages/photos/src', 'codec');
    expect(dependencies).toEqual({ codec: '0.9.0' });
    expect(lock.packages['node_modules/codec']).toMatchObject({ version: '0.9.0' });
    expect(lock.packages['node_modules/bytes']).toEqual({ version: '1.0.0' });
    expect(taken('packages/others', 'codec').dependencies).toEqual({ codec: '1.2.3' });
  });

  it('by another name, and from a file of the project', () => {
    const { dependencies, lock } = taken('', 'renamed', 'tarball');
    expect(dependencies).toEqual({
      renamed: 'npm:codec@1.2.0',
      tarball: 'file:/project/vendor/tarball.tgz',
    });
    expect(lock.packages['node_modules/tarball']?.resolved).toBe(
      'file:/project/vendor/tarball.tgz',
    );
  });

  it.each([
    ['are not in it', '', ['paint'], 'does not have paint: npm install paint'],
    ['are folders', '', ['shared'], 'links shared to the folder packages/shared'],
    [
      'need two versions in one place',
      'packages/films',
      ['bytes', 'parser'],
      'two versions for one place, packages/films/node_modules/bytes and node_modules/bytes',
    ],
  ])('but for those that %s', (_, from, names, sentence) => {
    const packages = {
      ...PACKAGES,
      'node_modules/parser': { version: '1.0.0', dependencies: { bytes: '^1.0.0' } },
    };
    const take = () => extract({ packages }, { from, root: '/project', names });
    expect(take).toThrow(sentence);
  });
});

describe('`nodeModules` are refused', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'fanfold-lock-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const lock = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages });

  it.each([
    ['without a lockfile', {}, 'there is none in or above FOLDER'],
    [
      'with the lockfile of another package manager',
      { 'yarn.lock': '' },
      'FOLDER has a yarn.lock, whose package manager',
    ],
    [
      'with pnpm’s lockfile, where they are not installed',
      { 'pnpm-lock.yaml': '' },
      'codec is not installed in FOLDER/src: pnpm add codec',
    ],
    [
      'with a lockfile of npm 6',
      { 'package-lock.json': '{"lockfileVersion":1,"dependencies":{}}' },
      'FOLDER/package-lock.json was written by npm 6 or earlier',
    ],
    [
      'with a lockfile that is no JSON',
      { 'package-lock.json': '<<<<<<< HEAD' },
      'FOLDER/package-lock.json cannot be read',
    ],
    [
      'with a lockfile that lacks them',
      { 'package-lock.json': lock({}) },
      '`nodeModules`: FOLDER/package-lock.json does not have codec: npm install codec.',
    ],
    [
      'when npm fails',
      {
        'package-lock.json': lock({ 'node_modules/codec': { version: '1.0.0' } }),
        '.npmrc': 'offline=true\n',
      },
      'npm could not install codec as locked in FOLDER/package-lock.json, exit status 1',
    ],
  ])('%s', (name, files, sentence) => {
    const project = join(folder, name.replaceAll(' ', '-'));
    mkdirSync(join(project, 'src'), { recursive: true });
    const all = { 'package.json': '{}', ...files };
    for (const [file, text] of Object.entries(all)) writeFileSync(join(project, file), text);
    const target = { os: 'linux', cpu: 'arm64', libc: 'glibc' };
    const from = join(project, 'src');
    const wanted = { names: ['codec'], from, target, environment: {} };
    const expected = sentence.replace('FOLDER, nor', 'FOLDER/src, nor').replace('FOLDER', project);
    expect(() => installNodeModules(emptyStack(), wanted)).toThrow(expected);
  });
});
