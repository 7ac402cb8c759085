import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetOf, run, UNCHECKED } from './assembly.ts';
import { only } from './synthesis.ts';

// A user's own app, in CommonJS, with a tasks module that needs its props.
const APP = `
const { App, Stack, Token } = require('aws-cdk-lib');
const { Bucket } = require('aws-cdk-lib/aws-s3');
const { Fanfold } = require('fanfold/cdk');
const stack = new Stack(new App(), 'Photos');
const bucket = new Bucket(stack, 'Bucket');
const fanfold = new Fanfold(stack, 'Fanfold', {
  tasks: 'tasks.ts',
  environment: { TABLE: 'photos', BUCKET: bucket.bucketName },
  bundling: { loader: { '.greeting': 'text' }, define: { VERSION: '"v7"' } },
});
bucket.grantReadWrite(fanfold);
`;
const TASKS = `
import { defineTask } from 'fanfold';
import greeting from './hello.greeting';
if (!process.env.TABLE || !process.env.BUCKET) throw new Error('no table or no bucket');
export const greet = defineTask({ name: 'greet', run: () => greeting + VERSION });
console.log('loaded', greeting, VERSION, process.env.TABLE);
`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-own-app-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A project that has this package, without some of its dependencies. */
function project(name: string, without: string[] = []): string {
  const path = join(folder, name);
  const modules = join(path, 'node_modules');
  mkdirSync(modules, { recursive: true });
  for (const each of readdirSync('node_modules')) {
    if (each.startsWith('.') || without.includes(each)) continue;
    symlinkSync(join(process.cwd(), 'node_modules', each), join(modules, each));
  }
  return path;
}

describe.concurrent('a user’s own app', () => {
  it('synthesizes from CommonJS, with what its tasks need where they are loaded', async () => {
    const path = project('commonjs');
    symlinkSync(process.cwd(), join(path, 'node_modules/fanfold'), 'dir');
    writeFileSync(join(path, 'package.json'), '{"name":"photos"}');
    writeFileSync(join(path, 'app.cjs'), APP);
    writeFileSync(join(path, 'tasks.ts'), TASKS);
    writeFileSync(join(path, 'hello.greeting'), 'hello');
    const output = join(path, 'cdk.out');
    const { status, stderr } = await run(['node', 'app.cjs'], {
      cwd: path,
      env: { ...UNCHECKED, CDK_OUTDIR: output },
    });
    expect(status, stderr).toBe(0);
    expect(readFileSync(join(output, 'manifest.json'), 'utf8')).not.toContain('is not checked');

    // Both functions load the tasks module, under the variables that the template gives them.
    const template = Template.fromJSON(
      JSON.parse(readFileSync(join(output, 'Photos.template.json'), 'utf8')),
    );
    for (const name of ['Photos-seed', 'Photos-worker']) {
      const { Properties } = only(template, 'AWS::Lambda::Function', { FunctionName: name });
      const { Variables } = Properties.Environment as { Variables: Record<string, unknown> };
      const texts = Object.entries(Variables).map(([key, value]) => [
        key,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]);
      const bundle = join(assetOf(output, 'Photos', name), 'index.mjs');
      const load = `(await import(${JSON.stringify(bundle)})).loadTasks()`;
      const loaded = await run(['node', '--input-type=module', '-e', load], {
        cwd: folder,
        env: Object.fromEntries(texts),
      });
      expect(loaded, loaded.stderr).toMatchObject({
        status: 0,
        stdout: 'loaded hello v7 photos\n',
      });
    }
  });

  it('is told that esbuild is missing, and does not try Docker', async () => {
    const path = project('without-esbuild', ['esbuild', '@esbuild']);
    for (const part of ['cdk', 'functions', 'src', 'package.json']) {
      cpSync(part, join(path, part), { recursive: true });
    }
    const { status, stderr } = await run(['node', 'cdk/app.ts'], {
      cwd: path,
      env: { CDK_OUTDIR: join(path, 'cdk.out') },
    });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        'Fanfold/Fanfold: esbuild, which bundles the functions, is not installed: npm install --save-dev esbuild\n',
    });
  });
});
