import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { connect } from '../../src/index.ts';
import { loaderOption } from '../../src/loading/loaders.ts';
import { openTasks } from '../../src/loading/tasks-module.ts';
import { REPOSITORY, TASKS } from '../cli/command.ts';

/** Syntax that Node itself does not support. */
const PROJECT = {
  'package.json': '{ "type": "module" }',
  'tsconfig.json': `{
    "compilerOptions": { "experimentalDecorators": true, "paths": { "@/*": ["./src/lib/*"] } }
  }`,
  'src/lib/shape.ts': `
    export enum Shape { Round = 'round' }
    export interface Info { shape: Shape }`,
  'src/lib/names.ts': `
    import * as z from 'zod';
    export namespace Names { export const here = import.meta.filename; }
    export const zod = import.meta.resolve('zod');
    export default function isText(value: unknown) { return z.string().safeParse(value).success; }`,
  'src/lib/view.tsx': `
    const h = (tag: string, props: object | null, text: string) => \`<\${tag}>\${text}</\${tag}>\`;
    export const view = /** @jsx h */ (text: string) => h('b', null, text);`,
  'src/lib/data.json': '{ "answer": 42 }',
  'src/lib/late.ts': 'export enum Late { Yes = 1 }',
  'src/tasks.ts': `#!/usr/bin/env node
    import { basename } from 'path';
    import { defineTask, NonRetryableError } from 'fanfold';
    import isText, { Names, zod } from '@/names';
    import data from './lib/data.json';
    import { Info, Shape } from './lib/shape.js';
    import { view } from './lib/view';

    function tenfold(target: object, key: string, descriptor: PropertyDescriptor) {
      const { value } = descriptor;
      descriptor.value = function (...args: unknown[]) { return 10 * value.apply(this, args); };
    }
    class Counter {
      constructor(private readonly by: number) {}
      @tenfold
      add(to: number) { return to + this.by; }
    }
    class OddError extends NonRetryableError { override name = OddError.name; }
    const info: Info = { shape: Shape.Round };

    export const all = defineTask({
      name: 'all',
      async run(input: number) {
        const { Late } = await import('./lib/late');
        return [
          new Counter(3).add(input), info.shape, Late.Yes, data.answer, view('x'), isText('x'),
          basename(Names.here), zod, import.meta.url,
        ];
      },
    });
    export const stack = defineTask({ name: 'stack', run: () => new Error('here').stack });
    export const fails = defineTask({ name: 'fails', run() { throw new OddError('no'); } });
  `,
  'src/common.cts': `
    const { defineTask } = require('fanfold');
    enum Place { Here }
    exports.place = defineTask({ name: 'place', run: () => Place[0] });`,
  'src/common.cjs': `
    const { defineTask } = require('fanfold');
    const { Shape } = require('./lib/shape');
    const places = { ...require('./lib/common.cjs'), own: __dirname };
    exports.places = defineTask({ name: 'places', run: () => ({ ...places, shape: Shape.Round }) });`,
  'src/lib/common.cjs': 'module.exports = { file: __filename };',
  'src/script.js': `
    import { defineTask } from 'fanfold';
    import { Shape } from '@/shape';
    import { dirname } from 'node:path';
    const __dirname = dirname(import.meta.filename);
    export const places = defineTask({ name: 'places', run: () => [Shape.Round, __dirname] });`,
  'src/plain.ts': `
    import { defineTask } from 'fanfold';
    enum Place { Here }
    export const place = defineTask({ name: 'place', run: () => Place[0] });`,
  'src/extensionless.ts': "import isText from './lib/names';",
  'src/syntax.ts': 'export const a = 1;\n\nexport const b: = 2;',
  'src/missing.ts': "import './lib/missing';",
  'src/package.ts': "import missing from 'missing-package';\nexport const a = missing;",
  'src/names.ts': "import { missing } from 'zod';\nexport const a = missing;",
};

let folder: string;
const path = (name: keyof typeof PROJECT) => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-loading-'));
  for (const [name, text] of Object.entries(PROJECT)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(REPOSITORY, join(folder, 'node_modules/fanfold'));
  symlinkSync(join(REPOSITORY, 'node_modules/zod'), join(folder, 'node_modules/zod'));
});

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.unstubAllEnvs();
});

it('tasks in TypeScript that Node does not support run as bundled for AWS', async () => {
  await using fanfold = await connect({ tasks: pathToFileURL(path('src/tasks.ts')), workers: 1 });
  const [all] = await Array.fromAsync(fanfold.map('all', [1]).outputs());
  expect(all).toEqual([
    ...[40, 'round', 1, 42, '<b>x</b>', true, 'names.ts'],
    expect.stringMatching(/zod\/index\.js$/),
    pathToFileURL(path('src/tasks.ts')).href,
  ]);
  // The line and column that the author wrote.
  const [stack] = await Array.fromAsync(fanfold.map('stack', [1]).outputs());
  const lines = PROJECT['src/tasks.ts'].split('\n');
  const line = lines.findIndex((text) => text.includes("new Error('here')"));
  const column = lines[line]?.indexOf('new Error') ?? 0;
  expect(stack).toContain(`(${path('src/tasks.ts')}:${line + 1}:${column + 1})`);
  // A class keeps its name, and Fanfold's own is the same in the bundle and outside of it.
  expect(await Array.fromAsync(fanfold.map('fails', [1]))).toMatchObject([
    { status: 'failed', error: { name: 'OddError', attempts: 1 } },
  ]);
});

it('a CommonJS tasks module in TypeScript has its exports', async () => {
  await using fanfold = await connect({ tasks: path('src/common.cts'), workers: 1 });
  expect(await Array.fromAsync(fanfold.map('place', [1]).outputs())).toEqual(['Here']);
});

it('tasks in JavaScript run as they are bundled for AWS', async () => {
  await using common = await connect({ tasks: path('src/common.cjs'), workers: 1 });
  const file = path('src/lib/common.cjs');
  const own = dirname(path('src/common.cjs'));
  expect(await Array.fromAsync(common.map('places', [1]).outputs())).toEqual([
    { file, own, shape: 'round' },
  ]);
  await using script = await connect({ tasks: path('src/script.js'), workers: 1 });
  expect(await Array.fromAsync(script.map('places', [1]).outputs())).toEqual([['round', own]]);
});

it.each([
  ['src/syntax.ts', 'src/syntax.ts:3:17: '],
  ['src/missing.ts', 'src/missing.ts:1:8: '],
] as const)('%s is refused with the place of the error', async (name, place) => {
  const { code } = openTasks(path(name));
  await expect(code).rejects.toMatchObject({
    code: 'BadTask',
    message: expect.stringContaining(join(folder, place)),
  });
});

it.each([
  [
    'src/package.ts',
    /'missing-package' imported from .*src\/package\.ts\. Install it: npm install missing-package\.$/,
  ],
  ['src/names.ts', /'zod' does not provide an export named 'missing'$/],
] as const)('%s is refused with Node’s message', async (name, message) => {
  const connected = connect({ tasks: path(name), workers: 1 });
  await expect(connected).rejects.toMatchObject({
    code: 'BadTask',
    message: expect.stringMatching(message),
  });
});

it("a loader that Node was started with is used, and otherwise this repository's own tasks load", async () => {
  expect(loaderOption({ ...process, execArgv: ['--import', 'tsx'], env: {} })).toBe('--import tsx');
  const preload = { ...process, execArgv: ['--import=./telemetry.mjs'], env: {} };
  expect(loaderOption(preload)).toBeUndefined();
  const shipped = join(REPOSITORY, 'functions/tasks/index.ts');
  expect(await openTasks(shipped).code).toEqual({ url: pathToFileURL(shipped).href });
  expect(await openTasks(TASKS).code).toMatchObject({ bundle: expect.any(String) });

  vi.stubEnv('NODE_OPTIONS', '--experimental-transform-types');
  await using fanfold = await connect({ tasks: path('src/plain.ts'), workers: 1 });
  expect(await Array.fromAsync(fanfold.map('place', [1]).outputs())).toEqual(['Here']);
  await expect(connect({ tasks: path('src/extensionless.ts'), workers: 1 })).rejects.toMatchObject({
    code: 'BadTask',
    message: expect.stringMatching(/lib\/names.*--experimental-transform-types.*esbuild/),
  });
});
