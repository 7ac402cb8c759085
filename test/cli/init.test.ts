import { execFileSync, execSync } from 'node:child_process';
import { chmodSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { readManifest, withEntries } from '../../src/cli/init/manifest.ts';
import { sourceOf, tooOld, VERSIONS } from '../../src/cli/init/packages.ts';
import { INPUTS, TASKS } from '../../src/cli/init/templates.ts';
import { tsconfigIn } from '../../src/cli/init/tsconfig.ts';
import { folderWith } from '../inputs/reading.ts';
import { inThisProcess } from './in-this-process.ts';

afterEach(() => vi.restoreAllMocks());

const NPM_24 = { npm_config_user_agent: 'npm/11.19.1 node/v24.21.0 linux x64' };

/** Runs `fanfold init` in a folder. */
async function init(path: string, options: string[] = [], env: NodeJS.ProcessEnv = NPM_24) {
  vi.spyOn(process, 'cwd').mockReturnValue(path);
  const { status, stdout, stderr } = await inThisProcess(['init', ...options], env);
  const next = stdout.split('Next:\n')[1]?.trim().split(/\n */) ?? [];
  return { status, stdout, stderr, next };
}

/** All files of a folder with their texts. */
function filesIn(path: string): Record<string, string> {
  const names = globSync('**', { cwd: path, exclude: ['.git'] }).concat(
    globSync('.{gitignore,pnp.cjs,yarnrc.yml}', { cwd: path }),
  );
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(path, name)).isFile())
      .toSorted()
      .map((name) => [name, readFileSync(join(path, name), 'utf8')]),
  );
}

const manifestOf = (path: string) => readManifest(join(path, 'package.json')).content;

describe('fanfold init', () => {
  it('makes a project in an empty folder', async () => {
    using folder = folderWith({});
    const { status, next, stdout } = await init(folder.path);
    expect(status).toBe(0);
    expect(Object.keys(filesIn(folder.path))).toEqual([
      '.gitignore',
      'orders.csv',
      'package.json',
      'src/tasks.test.ts',
      'src/tasks.ts',
      'tsconfig.json',
    ]);
    expect(manifestOf(folder.path)).toMatchObject({
      private: true,
      type: 'module',
      fanfold: { tasks: 'src/tasks.ts' },
      scripts: { fanfold: 'fanfold', test: 'node --test "src/**/*.test.ts"' },
      dependencies: { fanfold: expect.any(String), zod: VERSIONS.zod },
    });
    expect(manifestOf(folder.path)).not.toHaveProperty('devDependencies.node');
    expect(stdout).not.toContain('To undo');
    expect(next).toEqual([
      'npm install',
      'npm test',
      'npx fanfold run order-total --input orders.csv --output results.jsonl',
    ]);
  });

  it('changes nothing when it is called again, and restores what was deleted', async () => {
    using folder = folderWith({});
    const first = await init(folder.path, ['--cdk']);
    const files = filesIn(folder.path);
    execSync('rm orders.csv', { cwd: folder.path });
    await init(folder.path, ['--cdk']);
    const third = await init(folder.path, ['--cdk']);
    expect(filesIn(folder.path)).toEqual(files);
    expect(third.stdout).toContain('Nothing to add');
    expect(third.next).toEqual(first.next);
  });

  it('adds a CDK app, and names its stack as the project', async () => {
    using folder = folderWith({ 'package.json': '{"name":"@acme/word-count","type":"module"}' });
    const { next, stdout } = await init(folder.path, ['--cdk']);
    const files = filesIn(folder.path);
    expect(files['infra/app.ts']).toContain("new Stack(new App(), 'WordCount')");
    expect(files['cdk.json']).toBe('{\n  "app": "node infra/app.ts"\n}\n');
    expect(Object.keys(Object(manifestOf(folder.path).devDependencies))).toEqual(
      expect.arrayContaining(['aws-cdk', 'aws-cdk-lib', 'constructs', 'esbuild']),
    );
    expect(next[2]).toBe('npx cdk synth --quiet');
    expect(stdout).toContain('--stack WordCount');
  });

  it('brings a newer Node where the one of npm is too old', async () => {
    using folder = folderWith({});
    const env = { npm_config_user_agent: 'npm/10.8.2 node/v20.20.2 linux x64' };
    await init(folder.path, ['--cdk'], env);
    expect(manifestOf(folder.path)).toMatchObject({
      devDependencies: { node: VERSIONS.node },
      allowScripts: { node: true, esbuild: true },
    });
    expect(filesIn(folder.path)['cdk.json']).toContain('npx node infra/app.ts');
  });

  it('writes ES modules into a CommonJS project, whose package.json keeps its format', async () => {
    const crlf = (...lines: string[]) => `{\r\n\t${lines.join('\r\n\t')}\r\n}\r\n`;
    const common = ['"name": "shop",', '"files": ["dist", "bin"],', '"scripts": {'];
    using folder = folderWith({
      'package.json': crlf(
        ...common,
        '\t"test": "echo \\"Error: no test specified\\" && exit 1"',
        '},',
        '"dependencies": {',
        '\t"express": "5.0.0"',
        '},',
        '"type": "commonjs"',
      ),
    });
    const { stdout, next } = await init(folder.path);
    const files = filesIn(folder.path);
    expect(Object.keys(files)).toEqual(
      expect.arrayContaining(['src/tasks.mts', 'src/tasks.test.mts']),
    );
    expect(files['package.json']?.replace(/file:[^"]*/, 'file:x')).toBe(
      crlf(
        ...common,
        '\t"test": "node --test \\"src/**/*.test.mts\\"",',
        '\t"fanfold": "fanfold"',
        '},',
        '"dependencies": {',
        '\t"express": "5.0.0",',
        '\t"fanfold": "file:x",',
        `\t"zod": "${VERSIONS.zod}"`,
        '},',
        '"type": "commonjs",',
        '"fanfold": {',
        '\t"tasks": "src/tasks.mts"',
        '},',
        '"devDependencies": {',
        `\t"@types/node": "${VERSIONS['@types/node']}",`,
        `\t"typescript": "${VERSIONS.typescript}"`,
        '}',
      ),
    );
    expect(stdout).toContain("instead of npm's");
    expect(next[1]).toBe('npm test');
  });

  it('uses what a monorepo has at its top', async () => {
    const root = { workspaces: ['packages/*'], devDependencies: { typescript: '7', zod: '4' } };
    using folder = folderWith({
      'package.json': JSON.stringify(root),
      'pnpm-lock.yaml': '',
      '.gitignore': 'node_modules\nresults.jsonl*\n',
      'tsconfig.json':
        '{ /* of all */ "compilerOptions": { "allowImportingTsExtensions": true, } }',
      'packages/orders/package.json': '{\n    "name": "orders",\n    "type": "module"\n}\n',
    });
    const member = join(folder.path, 'packages/orders');
    const { next } = await init(member);
    expect(Object.keys(filesIn(member))).toEqual([
      'orders.csv',
      'package.json',
      'src/tasks.test.ts',
      'src/tasks.ts',
    ]);
    const { dependencies, devDependencies } = manifestOf(member);
    expect(dependencies).toEqual({ fanfold: expect.any(String) });
    expect(devDependencies).toEqual({ '@types/node': VERSIONS['@types/node'] });
    expect(next).toEqual([
      'pnpm install',
      'pnpm test',
      'pnpm exec fanfold run order-total --input orders.csv --output results.jsonl',
    ]);
  });

  it('leaves a CDK app as it is, whose test runner and compiler do not notice', async () => {
    const cdkJson = '{"app":"npx tsc && npx tsx bin/shop.ts"}';
    const tsconfig = '{"compilerOptions":{"module":"nodenext","outDir":"dist"}}';
    using folder = folderWith({
      'package.json': '{"name":"shop","scripts":{"test":"jest","fanfold":"echo"}}',
      'cdk.json': cdkJson,
      'tsconfig.json': tsconfig,
      '.gitignore': 'cdk.out\nnode_modules\n',
    });
    const { stdout, next } = await init(folder.path, ['--cdk']);
    expect(filesIn(folder.path)).toMatchObject({
      'cdk.json': cdkJson,
      'tsconfig.json': tsconfig,
      'infra/app.mts': expect.stringContaining("tasks: 'src/tasks.mts'"),
      // tsc refuses an import of tasks.mts where it writes JavaScript, and jest a test without its own.
      'src/tasks.node-test.mjs': expect.stringContaining("from './tasks.mts'"),
    });
    for (const kept of [/left as it is +cdk\.json/, /left as it is .*scripts\.fanfold/]) {
      expect(stdout).toMatch(kept);
    }
    expect(stdout).toContain("new Fanfold(this, 'Fanfold', { tasks: 'src/tasks.mts' })");
    expect(stdout).toContain('add "exclude": ["dist","infra"]');
    expect(stdout).toContain('Add to .gitignore: results.jsonl*');
    expect(next.slice(1)).toEqual([
      'npm run test:fanfold',
      'npx cdk synth --quiet --app "node infra/app.mts"',
    ]);
  });

  it('keeps apart from a tsconfig.json by which TypeScript does not find fanfold', async () => {
    using folder = folderWith({
      'package.json': '{"name":"shop","devDependencies":{"typescript":"~5.9.3"}}',
      'tsconfig.json': '{"compilerOptions":{"module":"commonjs","outDir":"out"}}',
    });
    const first = await init(folder.path, ['--cdk']);
    const files = filesIn(folder.path);
    expect(Object.keys(files)).toEqual([
      '.gitignore',
      'cdk.json',
      'fanfold/app.mts',
      'fanfold/orders.csv',
      'fanfold/tasks.mts',
      'fanfold/tasks.test.mts',
      'fanfold/tsconfig.json',
      'package.json',
      'tsconfig.json',
    ]);
    expect(first.stdout).toContain('npx tsc -p fanfold/tsconfig.json');
    expect(first.stdout).toContain('set "module": "nodenext"');
    expect(first.stdout).toContain('add "exclude": ["out","fanfold"]');
    const again = await init(folder.path, ['--cdk']);
    expect(filesIn(folder.path)).toEqual(files);
    expect(again.next).toEqual(first.next);
  });

  it.each([
    ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'allowBuilds:\n  node: true\n  esbuild: true\n'],
    ['yarn.lock', '.yarnrc.yml', 'nodeLinker: node-modules\n'],
  ])('has the package manager of %s install what is needed', async (lock, path, text) => {
    using folder = folderWith({ [lock]: '', 'package.json': '{}' });
    await init(folder.path, ['--cdk'], { npm_config_user_agent: 'npm/10.8.2 node/v20.20.2' });
    expect(readFileSync(join(folder.path, path), 'utf8').split('\n').toSorted()).toEqual(
      text.split('\n').toSorted(),
    );
    expect(manifestOf(folder.path)).not.toHaveProperty('allowScripts');
  });

  it.each([
    ['bun.lock', { 'package.json': '{"trustedDependencies":["sharp"]}' }, 'Add to "trusted'],
    [
      'pnpm-lock.yaml',
      { 'pnpm-workspace.yaml': 'packages: [a]' },
      'allowBuilds: { esbuild: true }',
    ],
    ['yarn.lock', { '.pnp.cjs': '' }, 'set "nodeLinker: node-modules" in .yarnrc.yml'],
  ])('says so where %s has settings already', async (lock, files, sentence) => {
    using folder = folderWith({ [lock]: '', ...files });
    expect((await init(folder.path, ['--cdk'])).stdout).toContain(sentence);
    expect(filesIn(folder.path)).toMatchObject(
      Object.fromEntries(Object.entries(files).filter(([path]) => path !== 'package.json')),
    );
  });

  it('says what the top of a monorepo must allow npm to run', async () => {
    using folder = folderWith({
      'package.json': '{"workspaces":["packages/*"]}',
      'packages/orders/package.json': '{}',
    });
    const { stdout } = await init(join(folder.path, 'packages/orders'), ['--cdk']);
    expect(stdout).toContain('Add to ../../package.json');
    expect(stdout).toContain('"allowScripts": {"esbuild":true}');
  });

  it('leaves Yarn 1 alone', async () => {
    using folder = folderWith({ 'yarn.lock': '# yarn lockfile v1\n' });
    const { next } = await init(folder.path);
    expect(next[0]).toBe('yarn install');
    const older = await init(folder.path, [], {
      npm_config_user_agent: 'yarn/1.22.22 npm/? node/v20.20.2 linux x64',
    });
    expect(older.next[0]).toBe('yarn install --ignore-engines');
    expect(Object.keys(filesIn(folder.path))).not.toContain('.yarnrc.yml');
  });

  it('writes a test for vitest where that runs the tests', async () => {
    using folder = folderWith({
      'package.json': '{"type":"module","scripts":{"test":"vitest"}}',
      'yarn.lock': '',
    });
    const { next } = await init(folder.path);
    expect(filesIn(folder.path)['src/tasks.test.ts']).toContain("from 'vitest'");
    expect(next[1]).toBe('yarn run test:fanfold');
    const { scripts } = manifestOf(folder.path);
    expect(scripts).toMatchObject({ 'test:fanfold': 'vitest run src/tasks.test.ts' });
  });

  it.each([
    ['that package.json names', '{"fanfold":{"tasks":"./lib/work.js"}}', 'lib/work.js'],
    ['in its usual place', '{"type":"module"}', 'src/tasks.js'],
  ])('keeps a tasks module %s', async (_, manifest, path) => {
    const text = 'import { defineTask } from "fanfold";';
    using folder = folderWith({ 'package.json': manifest, [path]: text });
    const { next } = await init(folder.path, ['--cdk']);
    const files = filesIn(folder.path);
    expect(files[path]).toBe(text);
    expect(files['infra/app.ts'] ?? files['infra/app.mts']).toContain(`tasks: '${path}'`);
    expect(Object.keys(files)).not.toContain('orders.csv');
    expect(next[1]).toBe('npx fanfold tasks');
  });

  it.each([
    ['src/tasks.ts', 'export const todo = [];'],
    ['orders.csv', 'id\n1\n'],
  ])('gives the sample another folder where the project has a %s', async (path, text) => {
    using folder = folderWith({ 'package.json': '{"type":"module"}', [path]: text });
    const { next } = await init(folder.path);
    expect(filesIn(folder.path)).toMatchObject({
      [path]: text,
      'src/fanfold/tasks.ts': TASKS,
      'src/fanfold/orders.csv': INPUTS,
    });
    expect(manifestOf(folder.path)).toMatchObject({ fanfold: { tasks: 'src/fanfold/tasks.ts' } });
    expect(next[2]).toContain('--input src/fanfold/orders.csv');
  });

  it('is undone by the commands that it prints, unless package.json was not committed', async () => {
    using folder = folderWith({ 'package.json': '{\n  "name": "a"\n}\n', '.gitignore': '*.csv\n' });
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        cwd: folder.path,
        encoding: 'utf8',
      });
    git('init', '--quiet');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'one');
    const before = filesIn(folder.path);
    const { stdout } = await init(folder.path, ['--cdk']);
    const [, undo = 'false'] = /^To undo: (.*)$/m.exec(stdout) ?? [];
    expect(filesIn(folder.path)).not.toEqual(before);
    execSync(undo, { cwd: folder.path });
    expect(filesIn(folder.path)).toEqual(before);

    writeFileSync(join(folder.path, 'package.json'), '{ "name": "b" }');
    const again = await init(folder.path);
    expect(again.stdout).toContain('package.json had changes that git does not have');
    expect(again.stdout).not.toContain('git restore');
  });

  it('writes nothing with --dry-run', async () => {
    using folder = folderWith({ 'package.json': '{}' });
    const { stdout } = await init(folder.path, ['--cdk', '--dry-run']);
    expect(filesIn(folder.path)).toEqual({ 'package.json': '{}' });
    expect(stdout).toContain('would create   src/tasks.mts');
    expect(stdout).toContain('would change   package.json');
  });

  it.each([
    ['a broken package.json', { 'package.json': '{ "name": ' }, 'package.json cannot be read'],
    ['a package.json of another kind', { 'package.json': '[]' }, 'must hold an object'],
    ['a package.json that is a folder', { 'package.json/x': '' }, 'EISDIR'],
    [
      'scripts of another kind',
      { 'package.json': '{"scripts":[]}' },
      '`scripts` must be an object',
    ],
    [
      'a wrong fanfold key',
      { 'package.json': '{"fanfold":{"task":"a"}}' },
      'must have only the key "tasks"',
    ],
    ['a file in the place of a folder', { src: '' }, 'is a file, and must be a folder'],
    [
      'a folder in the place of a file',
      { 'orders.csv/x': '' },
      'orders.csv cannot be read: it is a folder',
    ],
  ])('refuses %s before it writes anything', async (_, content, sentence) => {
    using folder = folderWith(content);
    const before = filesIn(folder.path);
    const { status, stderr } = await init(folder.path);
    expect(stderr).toContain(sentence);
    expect(stderr).not.toContain('--tasks');
    expect(status).toBe(2);
    expect(filesIn(folder.path)).toEqual(before);
  });

  it.skipIf(process.getuid?.() === 0)('refuses a folder that it may not write to', async () => {
    using folder = folderWith({});
    chmodSync(folder.path, 0o500);
    const { status, stderr } = await init(folder.path);
    expect({ status, stderr }).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('cannot be written: permission is denied'),
    });
    chmodSync(folder.path, 0o700);
  });
});

it('new projects get the versions that this repository is tested with', () => {
  const { devDependencies } = manifestOf(join(import.meta.dirname, '../..'));
  for (const [name, version] of Object.entries(VERSIONS)) {
    expect(version).toBe(`^${Object(devDependencies)[name]}`);
  }
});

it('depends on Fanfold as it was installed: from a registry, a tarball, or a clone', () => {
  using folder = folderWith({
    'registry/package.json': '{"dependencies":{"fanfold":"^0.1.0"}}',
    'tarball/package.json': '{"dependencies":{"fanfold":"file:../made/fanfold-0.1.0.tgz"}}',
    'clone/x': '',
    'pnpm/package.json': '{"dependencies":{"fanfold":"file:../made/fanfold-0.1.0.tgz"}}',
    'bunx/package.json': '{"dependencies":{"fanfold":"../made/fanfold-0.1.0.tgz"}}',
  });
  const at = (path: string) => sourceOf(join(folder.path, path), join(folder.path, 'project'));
  expect(at('registry/node_modules/fanfold')).toEqual({ wanted: '^0.1.0' });
  expect(at('global/node_modules/fanfold')).toEqual({ wanted: '^0.1.0' });
  expect(at('tarball/node_modules/fanfold').wanted).toBe('file:../made/fanfold-0.1.0.tgz');
  for (const modules of [
    'pnpm/node_modules/.pnpm/fanfold@file+x/node_modules',
    'bunx/node_modules',
  ]) {
    expect(at(`${modules}/fanfold`).wanted).toBe('file:../made/fanfold-0.1.0.tgz');
  }
  const { wanted, missing } = at('clone');
  expect(wanted).toBe('file:../clone/fanfold-0.1.0.tgz');
  expect(missing?.clone).toBe(join(folder.path, 'clone'));
});

it.each([
  [{ module: 'nodenext' }, '5.4', true],
  [{ moduleResolution: 'Bundler', module: 'esnext' }, '5.4', true],
  [{ moduleResolution: 'node' }, '5.4', false],
  [{ moduleResolution: 'node10' }, '7.0', false],
  [{ module: 'commonjs' }, '^5.4', false],
  [{ module: 'commonjs' }, '^6.0', true],
  [{}, '5.4', false],
  [{}, undefined, true],
])('tells whether TypeScript reads exports: %j in %s', (compilerOptions, typescript, reads) => {
  using folder = folderWith({
    'base/tsconfig.json': JSON.stringify({ compilerOptions, include: ['src'] }),
    'node_modules/@acme/config/tsconfig.json': '{ "extends": "../../../base/tsconfig" }',
    'tsconfig.json': '{ "extends": ["@acme/config/tsconfig.json", "./gone"] /* of all */, }',
  });
  const found = tsconfigIn([join(folder.path, 'src'), folder.path], typescript);
  expect(found).toMatchObject({ readsExports: reads, takesAll: false });
});

it('names packages that are too old, as they are installed or wanted', () => {
  using folder = folderWith({ 'node_modules/esbuild/package.json': '{"version":"0.20.0"}' });
  const old = (packages: Record<string, string>) =>
    tooOld([folder.path], new Map(Object.entries(packages))).length;
  expect(old({ zod: '^3.22.0', 'aws-cdk-lib': '^2.1.0' })).toBe(0);
  expect(old({ zod: '4.0.0', 'aws-cdk-lib': '*' })).toBe(0);
  expect(old({ zod: '~3.22.0', 'aws-cdk-lib': '2.200.0', esbuild: '^0.25.0' })).toBe(3);
});

it('adds keys to a package.json of any form', () => {
  const entries = [
    [['scripts', 'test'], 'x'],
    [['dependencies', 'b'], '1'],
  ] as const;
  const add = (text: string) => withEntries(text, entries);
  expect(JSON.parse(add('{}'))).toEqual({ scripts: { test: 'x' }, dependencies: { b: '1' } });
  expect(add('\ufeff{ "name": "a" }').charCodeAt(0)).toBe(0xfeff);
  const sorted = add('{\n  "dependencies": {\n    "a": "1",\n    "c": "1"\n  }\n}');
  expect(sorted).toContain('"a": "1",\n    "b": "1",\n    "c": "1"');
});
