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

const app = (project: string, context: object, env?: Record<string, string>) =>
  synthesize(project, join(project, 'cdk.out'), context, env);

/** A user's project, with the package in it. */
function project(name: string, packageJson: object): string {
  const path = join(folder, name);
  mkdirSync(join(path, 'node_modules'), { recursive: true });
  symlinkSync(process.cwd(), join(path, 'node_modules/fanfold'), 'dir');
  writeFileSync(join(path, 'package.json'), JSON.stringify(packageJson));
  return path;
}

/**
 * Loads a bundle from a place that has no node_modules, and says what it exports. Then has it load
 * its tasks, by an invocation that has nothing else to do.
 */
async function load(bundle: string): Promise<Ended> {
  const code = `
    const module = await import(${JSON.stringify(bundle)});
    console.log(Object.entries(module).map(([name, value]) => name + ': ' + typeof value).join(', '));
    if (module.loadTasks) await (module.burst ?? module.handler)({}, { awsRequestId: 'any', getRemainingTimeInMillis: () => 0 });`;
  const env = { FANFOLD_NAME: 'Own', FANFOLD_TASK_QUEUE_URL: 'https://sqs/1/Own-tasks' };
  const line = ['node', '--enable-source-maps', '--input-type=module', '--eval', code];
  return run(line, { env: { ...env, AWS_REGION: 'eu-central-1' } });
}

/** Each function's handler is a function that its bundle exports, loaded where it is alone. */
async function expectHandlers(output: string, stack: string): Promise<void> {
  for (const [name, handler] of [
    ['seed', 'handler'],
    ['worker', 'handler'],
    ['burst', 'burst'],
    ['collector', 'handler'],
  ]) {
    const bundle = join(assetOf(output, stack, `${stack}-${name}`), 'index.mjs');
    const { status, stdout, stderr } = await load(bundle);
    expect(status, stderr).toBe(0);
    const [exported = ''] = stdout.split('\n');
    expect(exported.split(', ')).toContain(`${handler}: function`);
  }
}

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-stack-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.concurrent('cdk synth', () => {
  it('bundles the built-in tasks without superfluous code', async () => {
    const output = join(folder, 'shipped');
    const { status, stdout, stderr } = await run(['cdk', 'synth', '--quiet', '--output', output]);
    // Warnings of npm about the machine's own settings are ignored.
    const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('npm warn'));
    expect({ status, stdout, lines }).toEqual({
      status: 0,
      stdout: '',
      lines: [
        'Bundling asset Fanfold/Fanfold/Seed/Code/Stage...',
        'Bundling asset Fanfold/Fanfold/Worker/Code/Stage...',
        'Bundling asset Fanfold/Fanfold/Collector/Code/Stage...',
      ],
    });

    for (const name of ['Fanfold-seed', 'Fanfold-worker']) {
      const asset = assetOf(output, 'Fanfold', name);
      expect(globSync('*', { cwd: asset }).sort()).toEqual(['index.mjs', 'index.mjs.map']);
      const bundle = join(asset, 'index.mjs');
      const code = readFileSync(bundle, 'utf8');
      expect(statSync(bundle).size).toBeLessThan(680_000);
      expect(code).toContain('must be the path of a file');
      // Code for laptops, terminals and schema libraries is left out; only the seed has
      // CSV.
      expect(code).not.toMatch(/ZodType|commander|picomatch/);
      if (name === 'Fanfold-worker') expect(code).not.toMatch(/csv-parse/);
    }
    // The collector has none of the tasks.
    const collector = join(assetOf(output, 'Fanfold', 'Fanfold-collector'), 'index.mjs');
    expect(readFileSync(collector, 'utf8')).not.toContain('must be the path of a file');
    // It has four clients: of SQS, Lambda, S3 and EventBridge; and a hash of its own.
    expect(statSync(collector).size).toBeLessThan(760_000);
    await expectHandlers(output, 'Fanfold');
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
      expect(code).not.toContain('must be the path of a file');
      // esbuild drops a little less of dynamic imports than of static ones.
      expect(statSync(bundle).size).toBeLessThan(715_000);
      const loaded = await load(bundle);
      // Classes keep their names in functions that run tasks.
      const names = name === 'Own-seed' ? ['\\w+', '\\w+'] : ['NonRetryableError', 'OutOfPaper'];
      expect(loaded.stdout, loaded.stderr).toMatch(
        new RegExp(`${process.platform} function ${names[0]}\n${names[1]}: empty\n`),
      );
      expect(loaded.stdout).toMatch(/src\/tasks\.ts:8:/);
      // The function's INIT has loaded the bundle, and an invocation the tasks module.
      expect(loaded.stdout).toMatch(
        /^(burst: function, )?handler: function, loadTasks: function\n/,
      );
    }
  });

  it.each([
    [
      'two tasks of one name',
      "export const a = defineTask({ name: 'same', run: () => 1 });\nexport const b = defineTask({ name: 'same', run: () => 2 });",
      'two tasks in PATH have the name "same". Rename one of them.',
    ],
    ['no task', 'export const a = 1;', 'the tasks module PATH exports no task. Export the value'],
    [
      'a task that takes longer than a worker may',
      "export const a = defineTask({ name: 'slow', timeoutSeconds: 895, run: () => 1 });",
      'the task "slow" has a timeoutSeconds of 895, and a worker\'s `timeout` of 900 seconds allows at most 890',
    ],
    [
      'a task that needs what is left out',
      "import { fromIni } from '@aws-sdk/credential-provider-ini';\nexport const a = defineTask({ name: 'a', run: () => String(fromIni) });",
      "the tasks module PATH cannot be loaded: it needs @aws-sdk/credential-provider-ini, which is left out of the functions, because Lambda provides their credentials. If tasks do need it: bundling: { nodeModules: ['@aws-sdk/credential-provider-ini'] }",
    ],
    [
      'no TypeScript',
      'export const a = ;',
      "the tasks module PATH cannot be bundled: see esbuild's errors above",
    ],
  ])('refuses %s', { tags: ['more'] }, async (name, code, sentence) => {
    const path = project(`wrong-${name.replaceAll(' ', '-')}`, {});
    const tasks = join(path, 'tasks.ts');
    writeFileSync(tasks, `import { defineTask } from 'fanfold';\n${code}\n`);
    const { status, stderr } = await app(path, { tasks: 'tasks.ts' });
    expect(stderr).toContain(`Fanfold/Fanfold: ${sentence.replace('PATH', tasks)}`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(status).toBe(1);
  });

  it('warns if a module loads only in Lambda', { tags: ['more'] }, async () => {
    const path = project('elsewhere-only', {});
    const code =
      "if (!process.env.TABLE) throw new Error('TABLE is not set');\nexport const a = defineTask({ name: 'a', run: () => 1 });";
    writeFileSync(join(path, 'tasks.ts'), `import { defineTask } from 'fanfold';\n${code}\n`);
    const { status, stderr } = await app(path, { tasks: 'tasks.ts' });
    expect(status, stderr).toBe(0);
    const manifest = globSync('cdk.out/**/*.json', { cwd: path }).map((file) =>
      readFileSync(join(path, file), 'utf8'),
    );
    expect(manifest.join()).toContain('is not checked, because it could not be loaded here');
    expect(manifest.join()).toContain('Error: TABLE is not set');
  });

  it('passes its rules with every context value', async () => {
    const path = project('configured', {});
    const context = {
      name: 'Photos-2',
      memorySize: '2048',
      timeout: '300',
      maxConcurrency: '400',
      burst: '200',
      reservedConcurrentExecutions: '200',
      architecture: 'x86_64',
      removalPolicy: 'retain',
      logRetention: '90',
      inputBuckets: 'inputs,inputs,more-inputs',
      resultPlaces: 'reports,archive/photos/',
      encryptionKey: 'arn:aws:kms:us-east-1:111111111111:key/12345678-1234-1234-1234-123456789012',
      alarmTopic: 'arn:aws:sns:us-east-1:111111111111:alarms',
      maxTaskAge: '3600',
    };
    const { status, stdout, stderr } = await app(path, context, {});
    expect(status, stdout + stderr).toBe(0);
    expect(stderr).not.toMatch(/warning|error/i);
    const template = JSON.parse(
      readFileSync(join(path, 'cdk.out/Photos-2.template.json'), 'utf8'),
    ) as { Resources: Record<string, { Type: string; DeletionPolicy?: string }> };
    const kept = Object.values(template.Resources).filter((one) => one.DeletionPolicy === 'Retain');
    expect(kept.map(({ Type }) => Type).sort()).toEqual([
      ...Array(4).fill('AWS::Logs::LogGroup'),
      'AWS::S3::Bucket',
      ...Array(5).fill('AWS::SQS::Queue'),
    ]);
  });

  it('fails with a sentence, and nothing else', async () => {
    const path = project('no-tasks', { fanfold: { tasks: 'src/tasks.ts' } });
    expect(await app(path, {})).toMatchObject({
      status: 1,
      stderr: `Fanfold/Fanfold: \`tasks\` must be the path of your tasks module, relative to the folder that the app runs in; ${join(path, 'src/tasks.ts')} does not exist.\n`,
    });
  });
});
