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
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assetOf, type Ended, run, synthesize } from './assembly.ts';

const app = (project: string, context: object) =>
  synthesize(project, join(project, 'cdk.out'), context);

/** A user's project, with the package in it. */
function project(name: string, packageJson: object): string {
  const path = join(folder, name);
  mkdirSync(join(path, 'node_modules'), { recursive: true });
  symlinkSync(process.cwd(), join(path, 'node_modules/fanfold'), 'dir');
  writeFileSync(join(path, 'package.json'), JSON.stringify(packageJson));
  return path;
}

/** Loads a bundle from a place that has no node_modules, and says what it exports. */
async function load(bundle: string): Promise<Ended> {
  const code = `import(${JSON.stringify(bundle)}).then((module) => console.log(Object.entries(module).map(([name, value]) => name + ': ' + typeof value).join(', ')))`;
  return run(['node', '--enable-source-maps', '--input-type=module', '--eval', code]);
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-stack-'));
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
