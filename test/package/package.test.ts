import { execFile } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, results } from '../cli/command.ts';
import { install, pack, SAMPLED, samplesOf, stepsOf } from './packed.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const README = join(REPOSITORY, 'README.md');
const NODE = process.execPath;
const root = mkdtempSync(join(tmpdir(), 'fanfold-package-'));
/** A user's project, with the packed package and its dependencies installed. */
const project = join(root, 'project');
const runs = promisify(execFile);

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

const typecheck = (files: string[], module = 'nodenext') =>
  runs(
    join(REPOSITORY, 'node_modules/.bin/tsc'),
    [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--allowImportingTsExtensions',
      ...['--module', module, '--target', 'es2024', '--types', 'node'],
      ...['--lib', 'es2024,esnext.disposable,esnext.array'],
      ...files,
    ],
    { cwd: project },
  ).catch((error: { stdout: string }) => {
    throw new Error(error.stdout);
  });

const readme = samplesOf('README.md');
/** The samples of the other pages, each page in a folder. */
const pages = SAMPLED.filter((page) => page !== 'README.md').map((page) => ({
  folder: join('pages', basename(page, '.md')),
  samples: samplesOf(page),
}));
const design = join(import.meta.dirname, 'samples');
const EXAMPLES = join(REPOSITORY, 'examples');
const examples = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

let tarball = '';

beforeAll(() => {
  tarball = pack(root);
  install(tarball, project);
  // The README's own command: its samples must run with nothing else installed.
  write('package.json', /```json\n(.*?)```/s.exec(readFileSync(README, 'utf8'))?.[1] ?? '');
  for (const [path, code] of readme) write(path, code);
  for (const { folder, samples } of pages) {
    for (const [path, code] of samples) write(join(folder, path), code);
  }
  cpSync(design, join(project, 'design'), { recursive: true });
  cpSync(EXAMPLES, join(project, 'examples'), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A module that prints the files that a process has loaded, once it exits. */
const LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const files = [];
  registerHooks({
    load(url, context, next) {
      if (url.includes('/fanfold/dist/')) files.push(url);
      return next(url, context);
    },
  });
  process.on('exit', () => console.error(JSON.stringify(files)));
`)}`;

describe('the packed package', () => {
  it('contains what it needs, and neither sources nor tests', () => {
    const files = readdirSync(join(project, 'node_modules/fanfold'), {
      recursive: true,
      encoding: 'utf8',
    });
    expect(files).toContain('dist/src/index.d.ts');
    expect(files).toContain('LICENSE');
    const strays = files.filter(
      (file) =>
        /(?<!\.d)\.ts$|\.map$|source\.json$/.test(file) || /(^|\/)(test|bench)\//.test(file),
    );
    expect(strays).toEqual([]);
  });

  it('loads few files for a command, since each costs 2 ms', async () => {
    const bin = join(project, 'node_modules/fanfold/bin/fanfold.js');
    const loadedBy = async (...args: string[]) => {
      const { stderr } = await runs(NODE, ['--import', LOADED, bin, ...args], { cwd: project });
      return JSON.parse(stderr.trim().split('\n').at(-1) ?? '').length;
    };
    expect(await loadedBy('--help')).toBeLessThan(12);
    const line = ['run', 'echo', '--range', '3', '--tasks', 'fanfold/tasks', '--workers', '1'];
    expect(await loadedBy(...line)).toBeLessThan(35);
  });

  it('type-checks the samples of all pages and of the design, which refuse wrong types', async () => {
    // Packages that are large, for one sample each: the samples compile with the real ones, too.
    declare('failures', 'playwright', PLAYWRIGHT);
    declare('ci', '@aws-sdk/client-secrets-manager', SECRETS);
    const files = pages.flatMap(({ folder, samples }) =>
      Array.from(samples.keys(), (path) => join(folder, path)),
    );
    const designed = readdirSync(design).map((file) => `design/${file}`);
    // One compiler for all.
    await typecheck([...readme.keys(), ...designed, ...files]);
  });

  it('runs the README’s samples', async () => {
    const { stdout } = await runs(NODE, ['src/main.ts'], { cwd: project });
    expect(stdout).toMatch(/^0 5$/m);
    expect(stdout).toMatch(/^1 6$/m);
    expect(stdout).toContain('ok: 2');
    await runs(NODE, ['--test', 'src/tasks.test.ts', 'src/sqs.test.ts'], { cwd: project });
  });

  it('bundles TypeScript tasks with the installed esbuild, and explains if there is none', async () => {
    write(
      'enums.ts',
      `import { defineTask } from 'fanfold';
       enum Place { Here }
       export const place = defineTask({ name: 'place', run: () => Place[0] });`,
    );
    const fanfold = (...args: string[]) =>
      runs(NODE, [join(project, 'node_modules/fanfold/bin/fanfold.js'), ...args], { cwd: project });
    const run = ['run', 'place', '--range', '1', '--tasks', 'enums.ts'];
    expect((await fanfold(...run)).stdout).toContain('"output":"Here"');
    const esbuild = join(project, 'node_modules/esbuild');
    rmSync(esbuild);
    try {
      await expect(fanfold(...run)).rejects.toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/enum.*npm install --save-dev esbuild.*--import tsx/),
      });
      // Code that Node itself can run needs no esbuild.
      expect((await fanfold('tasks')).stdout).toContain('resize');
    } finally {
      symlinkSync(join(REPOSITORY, 'node_modules/esbuild'), esbuild);
    }
  });

  it('runs the samples of the page on SQS', async () => {
    const samples = samplesOf('docs/sqs.md');
    const files = Array.from(samples.keys(), (path) => join('pages/sqs', path));
    const vitest = files.filter((_, at) => [...samples.values()][at]?.includes("from 'vitest'"));
    await runs(NODE, ['--test', ...files.filter((file) => !vitest.includes(file))], {
      cwd: project,
    });
    expect(vitest).toHaveLength(1);
    const { VITEST, ...env } = process.env;
    const cli = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
    await runs(NODE, [cli, 'run', ...vitest, 'pages/testing/src/flaky.vitest.test.ts'], {
      cwd: project,
      env,
    });
  });

  it('runs the samples of the other pages', async () => {
    const page = (folder: string, ...line: string[]) =>
      runs(NODE, line, { cwd: join(project, 'pages', folder) });
    const tests = ['src/flaky.test.ts', 'src/flaky.clock.test.ts', 'src/server.test.ts'];
    const [mapped, measured, limited] = await Promise.all([
      page('migrate', 'src/p-map.ts'),
      page('quickstart', 'src/main.ts'),
      page('failures', 'src/limited.ts'),
      page('testing', '--test', ...tests),
      page('ci', 'infra/ci.ts'),
    ]);
    expect(mapped.stdout).toContain('[ 5, 6 ]');
    expect(limited).toMatchObject({ stdout: expect.stringContaining('output: 1.5'), stderr: '' });
    expect(measured.stdout).toBe('[ 2, 2, 2, 3 ]\n');
  });

  it('runs the quickstart, command by command', async () => {
    let cwd = join(project, 'started');
    mkdirSync(cwd);
    for (const step of stepsOf('docs/quickstart.md')) {
      if ('path' in step) {
        write(join(relative(project, cwd), step.path), step.code);
        continue;
      }
      const lines = step.run.split('\n').filter((line) => !line.startsWith('npm install'));
      const script = `${lines.join('\n')}\nstatus=$?; pwd; exit $status`;
      const ended = await runs('bash', ['-c', script], { cwd }).catch((error) => error);
      // As the page says, an input of the first run fails.
      expect([step.run, ended.code ?? 0]).toEqual([step.run, step.run.includes('END') ? 1 : 0]);
      cwd = ended.stdout.trimEnd().split('\n').at(-1);
      const modules = join(cwd, 'node_modules');
      if (!existsSync(modules)) symlinkSync(join(project, 'node_modules'), modules);
    }
    const lines = results(readFileSync(join(cwd, 'results.jsonl'), 'utf8'));
    expect(lines.map(({ output }) => output)).toEqual(
      expect.arrayContaining([{ sku: 'A2', cents: 999 }]),
    );
    expect(existsSync(join(cwd, 'cdk.out/Prices.template.json'))).toBe(true);
  });

  it('can be required from CommonJS', async () => {
    write(
      'main.cjs',
      `const { connect, defineTask } = require('fanfold');
       const { Sqs } = require('fanfold/sqs');
       const { seedHandler } = require('fanfold/functions');
       const { Fanfold } = require('fanfold/cdk');
       const double = defineTask({ name: 'double', run: (n) => n * 2 });
       connect().then(async (fanfold) => {
         console.log(await Array.fromAsync(fanfold.map(double, [1, 2]).outputs()));
         console.log(typeof Sqs, typeof seedHandler, typeof Fanfold);
         await fanfold.close();
       });`,
    );
    const { stdout } = await runs(NODE, ['main.cjs'], { cwd: project });
    expect(stdout).toBe('[ 2, 4 ]\nfunction function function\n');
  });

  it('exports the built-in tasks, for a tasks module to export again', async () => {
    write(
      'src/both.ts',
      `import { connect } from 'fanfold';
       import { sleep } from 'fanfold/tasks';
       export * from 'fanfold/tasks';
       await using fanfold = await connect();
       const run = fanfold.map(sleep, [{ seconds: 0 }]);
       const seconds: number[] = await Array.fromAsync(run.outputs());
       console.log(seconds);`,
    );
    await typecheck(['src/both.ts']);
    const { stdout } = await runs(NODE, ['src/both.ts'], { cwd: project });
    expect(stdout).toBe('[ 0 ]\n');
  });

  it('runs as `npx fanfold`, with the tasks that package.json names, in worker processes', async () => {
    const bin = join(project, 'node_modules/.bin');
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    write('photos.jsonl', '{"url":"data:,hello"}\n{"url":"nonsense"}\n');
    const args = ['run', 'resize', '--input', 'photos.jsonl', '--ordered', '--workers', '1'];
    const ended = await runs(join(bin, 'fanfold'), args, { cwd: project, env }).catch((e) => e);
    const [first, second] = ended.stdout
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect(first).toMatchObject({ index: 0, status: 'ok', output: { bytes: 5 } });
    expect(second).toMatchObject({ index: 1, status: 'failed', error: { code: 'InvalidInput' } });
    expect(ended.code).toBe(1);
    const shipped = mkdtempSync(join(root, 'shipped-'));
    const listed = await runs(join(bin, 'fanfold'), ['tasks'], { cwd: shipped, env });
    expect(listed.stdout).toBe('echo\nsha256\nsleep\n');
    const named = await runs(join(bin, 'fanfold'), ['tasks', '--tasks', 'fanfold/tasks'], {
      cwd: project,
      env,
    });
    expect(named.stdout).toBe(listed.stdout);
    expect(existsSync(join(project, 'node_modules/fanfold/src'))).toBe(false);
  });
});

// Real installations take minutes: `npm run test:init` runs them. CI has test/cli/init.test.ts.
describe.runIf(process.env.TEST_INIT !== undefined)('fanfold init', () => {
  const bin = join(project, 'node_modules/.bin/fanfold');
  const { PATH, ...others } = process.env;
  // The npm of this test's own script would have an npm below it use this repository.
  const inherited = Object.entries(others).filter(([name]) => !name.startsWith('npm_'));
  const env = {
    ...Object.fromEntries(inherited),
    PATH: `${join(REPOSITORY, 'node_modules/.bin')}:${PATH}`,
    npm_config_user_agent: 'npm/11.19.1 node/v24.21.0',
  };
  const sh = (cwd: string, command: string) => runs('sh', ['-c', command], { cwd, env });
  const folder = (name: string, files: Record<string, string>) => {
    for (const [path, text] of Object.entries(files)) write(`../${name}/${path}`, text);
    return join(root, name);
  };
  const installed = (name: string, files: Record<string, string>) => {
    const path = folder(name, { '.gitignore': '', ...files });
    symlinkSync(join(project, 'node_modules'), join(path, 'node_modules'));
    return path;
  };
  /** Calls `fanfold init`; gives the commands that it prints. */
  const init = async (cwd: string, ...options: string[]) => {
    const { stdout } = await runs(process.execPath, [bin, 'init', ...options], { cwd, env });
    return stdout.split('Next:\n')[1]?.trim().split(/\n */) ?? [];
  };
  /** Runs the command that maps the sample's task. */
  const mapSample = async (cwd: string, command = '') => {
    const ended = await sh(cwd, command).catch((error) => error);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('3 ok + 1 failed') });
    const [, , third] = results(readFileSync(join(cwd, 'results.jsonl'), 'utf8')).toSorted(
      (one, other) => one.index - other.index,
    );
    expect(third).toMatchObject({ index: 2, status: 'failed', error: { code: 'InvalidInput' } });
  };

  it('makes a project that passes its test, runs, synthesizes and compiles', async () => {
    const path = installed('word-count', {});
    const [install, test, run] = await init(path);
    expect(install).toBe('npm install');
    await mapSample(path, run);
    const [, , synth = ''] = await init(path, '--cdk');
    await Promise.all([sh(path, test ?? ''), sh(path, synth)]);
    expect(existsSync(join(path, 'cdk.out/WordCount.template.json'))).toBe(true);
    expect(await sh(path, 'tsc')).toMatchObject({ stdout: '' });
    for (const file of ['src/tasks.ts', 'src/tasks.test.ts', 'infra/app.ts', 'tsconfig.json']) {
      const check = `biome check --write --stdin-file-path=${file} < ${join(path, file)}`;
      expect((await sh(REPOSITORY, check)).stdout).toBe(readFileSync(join(path, file), 'utf8'));
    }
  });

  it('leaves a CommonJS project one that compiles into the same folder', async () => {
    const path = installed('shop', {
      'package.json': '{"name":"shop","scripts":{"test":"jest"}}',
      'tsconfig.json':
        '{"compilerOptions":{"module":"nodenext","strict":true,"types":[],"outDir":"dist","skipLibCheck":true},"exclude":["infra"]}',
      'index.ts': 'export const shop = 1;',
    });
    const [, test = '', synth = ''] = await init(path, '--cdk');
    await Promise.all([sh(path, test), sh(path, synth)]);
    expect(await sh(path, 'tsc')).toMatchObject({ stdout: '' });
    expect(globSync('dist/**/*.*js', { cwd: path }).toSorted()).toEqual([
      'dist/index.js',
      'dist/src/tasks.mjs',
    ]);
  });

  it('compiles beside a tsconfig.json that ignores exports, as it says', async () => {
    const compilerOptions = { module: 'commonjs', moduleResolution: 'node10', outDir: 'dist' };
    const path = installed('older', {
      'package.json': '{"name":"older","devDependencies":{"typescript":"~5.9.3"}}',
      'tsconfig.json': JSON.stringify({ compilerOptions }),
      'index.ts': 'export const older = 1;',
    });
    const [, test = ''] = await init(path);
    const tsc = 'npx --yes --package typescript@5.9.3 -- tsc';
    expect(await sh(path, `${tsc} -p fanfold/tsconfig.json`)).toMatchObject({ stdout: '' });
    const exclude = ['dist', 'fanfold'];
    write('../older/tsconfig.json', JSON.stringify({ compilerOptions, exclude }));
    expect(await sh(path, tsc)).toMatchObject({ stdout: '' });
    await sh(path, test);
  });

  it('works in a member of a monorepo, installed by npm at the top', async () => {
    const path = folder('mono', {
      'package.json': '{"private":true,"workspaces":["packages/*"]}',
      'packages/orders/package.json': `{"name":"orders","dependencies":{"fanfold":"file:${tarball}"}}`,
    });
    const member = join(path, 'packages/orders');
    const [install, test, run] = await init(member);
    await sh(member, `${install} --prefer-offline --no-audit --no-fund`);
    expect(existsSync(join(member, 'node_modules'))).toBe(false);
    await sh(member, test ?? '');
    await mapSample(member, run);
  });
});

describe.concurrent('the examples', () => {
  const run = (name: string, [program = '', ...args]: string[], env: NodeJS.ProcessEnv = {}) =>
    runs(program, args, { cwd: join(project, 'examples', name), env: { ...process.env, ...env } });

  it('compile', async () => {
    const configs = examples.map((name) => readFileSync(join(EXAMPLES, name, 'tsconfig.json')));
    expect(configs).toEqual(configs.map(() => configs[0]));
    // One compiler for all.
    const config = { extends: './first-task/tsconfig.json', include: ['*/src', '*/infra'] };
    write('examples/tsconfig.json', JSON.stringify(config));
    const tsc = run('', [join(REPOSITORY, 'node_modules/.bin/tsc')]);
    expect(await tsc.catch((error: { stdout: string }) => error)).toMatchObject({ stdout: '' });
  });

  it.each(examples)('%s depends on what it imports', (name) => {
    const folder = join(EXAMPLES, name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const sources = globSync('{src,infra}/*.ts', { cwd: folder });
    expect(sources).not.toEqual([]);
    const imported = sources.flatMap((file) =>
      Array.from(
        readFileSync(join(folder, file), 'utf8').matchAll(/from '((?:@[\w-]+\/)?[\w-]+)(?=['/])/g),
        ([, found]) => found,
      ),
    );
    const installed = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(installed).toEqual(expect.arrayContaining(imported));
  });

  // Alone, since an API of one has half a second to answer.
  it('pass their own tests', { concurrent: false }, async () => {
    const tests = globSync('*/src/*.test.ts', { cwd: EXAMPLES });
    expect(tests).toHaveLength(9);
    // In one process, which loads the packages once.
    await run('', [NODE, '--test', '--test-isolation=none', ...tests]);
  });

  it('first-task: an input that breaks the schema costs itself alone', async () => {
    const line = ['run', 'count-words', '--input', 'texts.jsonl', '--ordered', '--workers', '1'];
    const bin = join(project, 'node_modules/.bin/fanfold');
    const ended = await run('first-task', [bin, ...line]).catch((error) => error);
    expect(results(ended.stdout)).toMatchObject([
      { status: 'ok', output: { words: 6, different: 4 } },
      { status: 'failed', error: { code: 'InvalidInput' } },
      { status: 'ok', output: { words: 4 } },
    ]);
    expect(ended.code).toBe(1);
  });

  it('lan: a worker joins a server, and runs', async () => {
    symlinkSync(join(project, 'node_modules'), join(project, 'examples/lan/node_modules'));
    const env = { XDG_CONFIG_HOME: join(root, 'config'), PORT: String(await freePort()) };
    const { stdout } = await run('lan', ['./lan.sh'], env);
    const outputs = results(stdout).map((result) => result.output);
    expect(outputs.slice(0, 2)).toEqual([168, 135]);
    expect(outputs).toHaveLength(20);
  });

  it('recipes: the commands run as the cookbook shows them', async () => {
    const folder = join(project, 'examples/recipes');
    symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
    const cookbook = readFileSync(join(REPOSITORY, 'docs/cookbook.md'), 'utf8');
    const [, convert = ''] = /^```text\n(npx fanfold run convert.*?) \| jq/m.exec(cookbook) ?? [];
    const api = createServer(({ url }, response) => void response.end(`item of ${url}`));
    await once(api.listen(0, '127.0.0.1'), 'listening');
    const API_URL = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
    const [converted] = await Promise.all([
      run('recipes', ['bash', '-c', convert]).catch((error) => error),
      run('recipes', ['./nightly.sh'], { API_URL }),
    ]);
    api.close();
    expect(results(converted.stdout)).toMatchObject([
      { status: 'ok', output: { id: 1, tags: ['red', 'green'] } },
      { status: 'failed', error: { code: 'InvalidInput' } },
      { status: 'ok', output: { id: 3, tags: [] } },
    ]);
    const [output = ''] = globSync('ids-*.jsonl', { cwd: folder });
    const outputs = results(readFileSync(join(folder, output), 'utf8')).map((one) => one.output);
    expect(outputs.toSorted()).toEqual(['a', 'b', 'c'].map((id) => `item of /items/${id}`));
  });

  it('recipes: the nightly job has the seed start a run at two', async () => {
    const assembly = join(root, 'nightly');
    // cdk-app shows that tasks are bundled.
    const CDK_CONTEXT_JSON = '{"aws:cdk:bundling-stacks":[]}';
    await run('recipes', [NODE, 'infra/nightly.ts'], { CDK_OUTDIR: assembly, CDK_CONTEXT_JSON });
    const template = readFileSync(join(assembly, 'Nightly.template.json'), 'utf8');
    const { Resources } = JSON.parse(template) as { Resources: Record<string, Resource> };
    expect(Object.values(Resources)).toContainEqual(
      expect.objectContaining({
        Type: 'AWS::Events::Rule',
        Properties: expect.objectContaining({ ScheduleExpression: 'cron(0 2 * * ? *)' }),
      }),
    );
    expect(template).toContain('look-up');
  });

  it('cdk-app: synthesizes, with functions for its tasks', async () => {
    const assembly = join(root, 'cdk.out');
    await run('cdk-app', [NODE, 'infra/app.ts'], { CDK_OUTDIR: assembly });
    const template = readFileSync(join(assembly, 'Photos.template.json'), 'utf8');
    const { Resources } = JSON.parse(template) as { Resources: Record<string, Resource> };
    const names = Object.values(Resources).map(({ Properties }) => Properties?.FunctionName);
    expect(names).toEqual(expect.arrayContaining(['Photos-seed', 'Photos-worker', 'Photos-burst']));
  });
});

/** Gives a page's samples the types of a package that is not installed. */
function declare(page: string, name: string, types: string): void {
  const folder = `pages/${page}/node_modules/${name}`;
  write(`${folder}/package.json`, '{"type":"module","types":"index.d.ts"}');
  write(`${folder}/index.d.ts`, types);
}

const PLAYWRIGHT = `
interface Page extends AsyncDisposable {
  goto(url: string): Promise<object | null>;
  screenshot(options: { path: string }): Promise<Buffer>;
}
interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}
export const chromium: { launch(): Promise<Browser> };`;

const SECRETS = `
export class GetSecretValueCommand {
  constructor(input: { SecretId: string | undefined });
}
export class SecretsManagerClient {
  send(command: GetSecretValueCommand): Promise<{ SecretString?: string | undefined }>;
}`;

interface Resource {
  Type: string;
  Properties?: { FunctionName?: string };
}
