import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { install, pack, samplesOf } from './packed.ts';

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
const sqsPage = samplesOf('docs/sqs.md');
const design = join(import.meta.dirname, 'samples');

beforeAll(() => {
  install(pack(root), project);
  // The README's own: its samples have to run with what it says, and nothing else.
  write('package.json', /```json\n(.*?)```/s.exec(readFileSync(README, 'utf8'))?.[1] ?? '');
  for (const [path, code] of [...readme, ...sqsPage]) write(path, code);
  cpSync(design, join(project, 'design'), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the packed package', () => {
  it('has what it needs, and neither sources nor tests', () => {
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

  it('type-checks every sample of the README', async () => {
    expect([...readme.keys()]).toEqual([
      'src/tasks.ts',
      'src/main.ts',
      'src/tasks.test.ts',
      'src/sqs.test.ts',
      'infra/app.ts',
    ]);
    await typecheck([...readme.keys()]);
  });

  it('type-checks the design’s samples, and refuses wrong inputs and outputs', async () => {
    await typecheck(readdirSync(design).map((file) => `design/${file}`));
  });

  it('runs the README’s samples', async () => {
    const { stdout } = await runs(NODE, ['src/main.ts'], { cwd: project });
    expect(stdout).toMatch(/^0 5$/m);
    expect(stdout).toMatch(/^1 6$/m);
    expect(stdout).toContain('ok: 2');
    await runs(NODE, ['--test', 'src/tasks.test.ts', 'src/sqs.test.ts'], { cwd: project });
  });

  it('bundles TypeScript tasks with the esbuild that is there, and says how where there is none', async () => {
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
      // What Node runs by itself needs no esbuild.
      expect((await fanfold('tasks')).stdout).toContain('resize');
    } finally {
      symlinkSync(join(REPOSITORY, 'node_modules/esbuild'), esbuild);
    }
  });

  it('runs the samples of the page on SQS', async () => {
    const files = [...sqsPage.keys()];
    expect(files).toHaveLength(5);
    await typecheck(files);
    const vitest = files.filter((file) => sqsPage.get(file)?.includes("from 'vitest'"));
    await runs(NODE, ['--test', ...files.filter((file) => !vitest.includes(file))], {
      cwd: project,
    });
    expect(vitest).toHaveLength(1);
    const { VITEST, ...env } = process.env;
    const cli = join(REPOSITORY, 'node_modules/vitest/vitest.mjs');
    await runs(NODE, [cli, 'run', ...vitest], { cwd: project, env });
  });

  it('is required from CommonJS', async () => {
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

  it('has the tasks that ship, for a tasks module to export again', async () => {
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
