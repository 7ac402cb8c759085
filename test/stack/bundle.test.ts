import { spawn } from 'node:child_process';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const APP = resolve('cdk/app.ts');
const PROGRAMS = resolve('node_modules/.bin');

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program as a machine without an AWS account would, with a `docker` that only fails. */
function run(
  command: string[],
  { cwd = process.cwd(), env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const ours = Object.entries(process.env).filter(
    ([key]) => !/^(AWS|CDK)_|^NODE_OPTIONS$|^CI$/.test(key),
  );
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd,
    env: {
      ...Object.fromEntries(ours),
      PATH: [join(folder, 'no-docker'), PROGRAMS, process.env.PATH].join(delimiter),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: Ended = { status: null, stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      ended[name] += text;
    });
  }
  return new Promise((settle, fail) => {
    child.on('error', fail).on('close', (status) => settle({ ...ended, status }));
  });
}

/** Runs the app by itself in a project, without the CDK's command line. */
function app(project: string, context: object): Promise<Ended> {
  return run(['node', APP], {
    cwd: project,
    env: { CDK_OUTDIR: join(project, 'cdk.out'), CDK_CONTEXT_JSON: JSON.stringify(context) },
  });
}

/** A user's project, with the package in it. */
function project(name: string, packageJson: object): string {
  const path = join(folder, name);
  mkdirSync(join(path, 'node_modules'), { recursive: true });
  symlinkSync(process.cwd(), join(path, 'node_modules/fanfold'), 'dir');
  writeFileSync(join(path, 'package.json'), JSON.stringify(packageJson));
  return path;
}

/** The folder of a function's code, as the template names it. */
function assetOf(output: string, stack: string, functionName: string): string {
  const { Resources } = JSON.parse(readFileSync(join(output, `${stack}.template.json`), 'utf8'));
  type Found = { Properties: { FunctionName?: string; Code: { S3Key: string } } };
  const found = (Object.values(Resources) as Found[]).find(
    ({ Properties }) => Properties.FunctionName === functionName,
  );
  if (!found) throw new Error(`${functionName} was expected in the template of ${stack}`);
  return join(output, `asset.${found.Properties.Code.S3Key.replace(/\.zip$/, '')}`);
}

/** Loads a bundle from a place that has no node_modules, and says what it exports. */
async function load(bundle: string): Promise<Ended> {
  const code = `import(${JSON.stringify(bundle)}).then((module) => console.log(Object.entries(module).map(([name, value]) => name + ': ' + typeof value).join(', ')))`;
  return run(['node', '--enable-source-maps', '--input-type=module', '--eval', code]);
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-stack-'));
  mkdirSync(join(folder, 'no-docker'));
  writeFileSync(
    join(folder, 'no-docker/docker'),
    '#!/bin/sh\necho docker was called >&2\nexit 1\n',
    {
      mode: 0o755,
    },
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent('cdk synth', () => {
  it('bundles the tasks that ship, without a word too many', async () => {
    const output = join(folder, 'shipped');
    const { status, stdout, stderr } = await run(['cdk', 'synth', '--quiet', '--output', output]);
    // Some machines' own npm settings make npm complain: that is between them.
    const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm warn'));
    expect({ status, stdout, lines }).toEqual({
      status: 0,
      stdout: '',
      lines: [
        'Bundling asset Fanfold/Fanfold/Seed/Code/Stage...',
        'Bundling asset Fanfold/Fanfold/Worker/Code/Stage...',
      ],
    });

    for (const name of ['Fanfold-seed', 'Fanfold-worker']) {
      const asset = assetOf(output, 'Fanfold', name);
      expect(globSync('*', { cwd: asset }).sort()).toEqual(['index.mjs', 'index.mjs.map']);
      const bundle = join(asset, 'index.mjs');
      const code = readFileSync(bundle, 'utf8');
      expect(statSync(bundle).size).toBeLessThan(500_000);
      expect(code).toContain("A file's path was expected");
      // What belongs to a laptop, a terminal or a schema library stays there.
      expect(code).not.toMatch(/ZodType|commander|cli-progress|csv-parse|LambdaClient/);
      expect(await load(bundle)).toMatchObject({ status: 0, stdout: 'handler: function\n' });
    }
  });
});

describe.concurrent('the app', () => {
  it('bundles the tasks module that the project names', async () => {
    const path = project('own-tasks', { fanfold: { tasks: './src/tasks.ts' } });
    mkdirSync(join(path, 'src'));
    writeFileSync(
      join(path, 'src/legacy.cjs'),
      "module.exports = { platform: () => require('node:os').platform() };\n",
    );
    writeFileSync(
      join(path, 'src/tasks.ts'),
      [
        "import { createRequire } from 'node:module';",
        "import { defineTask, NonRetryableError } from 'fanfold';",
        "import legacy from './legacy.cjs';",
        'const require = createRequire(import.meta.url);',
        'class OutOfPaper extends Error { override name = this.constructor.name }',
        "export const ownTask = defineTask({ name: 'ownTask', run: (n: number) => n * 2 });",
        "console.log(legacy.platform(), typeof require('node:fs').open, NonRetryableError.name);",
        "console.log(new OutOfPaper('empty').stack);",
      ].join('\n'),
    );
    const { status, stderr } = await app(join(path, 'src'), { name: 'Own' });
    expect(status, stderr).toBe(0);

    const output = join(path, 'src/cdk.out');
    for (const name of ['Own-seed', 'Own-worker']) {
      const bundle = join(assetOf(output, 'Own', name), 'index.mjs');
      const code = readFileSync(bundle, 'utf8');
      expect(code).toContain('ownTask');
      expect(code).not.toContain("A file's path was expected");
      expect(statSync(bundle).size).toBeLessThan(500_000);
      const loaded = await load(bundle);
      expect(loaded.stdout, loaded.stderr).toMatch(
        new RegExp(`^${process.platform} function NonRetryableError\nOutOfPaper: empty\n`),
      );
      expect(loaded.stdout).toMatch(/src\/tasks\.ts:8:/);
      expect(loaded.stdout).toMatch(/\nhandler: function\n$/);
    }
  });

  it('ends with a sentence, and nothing else, when it cannot be', async () => {
    const path = project('no-tasks', { fanfold: { tasks: 'src/tasks.ts' } });
    expect(await app(path, {})).toMatchObject({
      status: 1,
      stderr: `Fanfold/Fanfold: \`tasks\` is the path of your tasks module, from the folder that the app runs in; ${join(path, 'src/tasks.ts')} is not there.\n`,
    });
  });
});
