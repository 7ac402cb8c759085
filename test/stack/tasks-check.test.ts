// @module-tag more
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LATER } from '../../cdk/finished-code.ts';
import { checkTasks } from '../../cdk/tasks-check.ts';
import { emptyStack } from './synthesis.ts';

const FANFOLD = JSON.stringify(pathToFileURL('src/index.ts'));
const PATH = '/photos/tasks.ts';
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-tasks-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Given {
  /** Variables that are known at deployment only. */
  later?: string[];
  nodeModules?: string[];
  externalModules?: string[];
  /** Further files of the function's code. */
  files?: Record<string, string | Buffer>;
  /** The tasks module. */
  path?: string;
  cpu?: string;
}

/** The refusal or the warning for a function's code with this tasks module. */
function check(code: string, given: Given = {}) {
  const { later = [], files = {}, path = PATH, cpu = process.arch, ...bundling } = given;
  const asset = mkdtempSync(join(folder, 'asset-'));
  const all = {
    ...files,
    'index.mjs': "export const loadTasks = () => import('./tasks.mjs');",
    'tasks.mjs': `import { defineTask } from ${FANFOLD};\n${code}\n`,
  };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(asset, name)), { recursive: true });
    writeFileSync(join(asset, name), content);
  }
  const env = Object.fromEntries(later.map((name) => [name, LATER]));
  const stack = emptyStack();
  const target = { os: 'linux', cpu, libc: 'glibc' };
  try {
    const checked = { path, timeoutSeconds: 900, target, bundling };
    checkTasks(stack, [{ folder: asset, env, later }], checked);
  } catch (error) {
    return { refused: String(error) };
  }
  const warnings = stack.node.metadata.filter(({ type }) => type === 'aws:cdk:warning');
  return warnings.length === 0 ? {} : { warned: warnings.map(({ data }) => data).join(' ') };
}

const TASK = "export const a = defineTask({ name: 'a', run: () => 1 });";

describe('a tasks module that is invalid everywhere is refused', () => {
  it.each([
    [
      'an option out of its range',
      "export const a = defineTask({ name: 'a', maxAttempts: 0, run: () => 1 });",
      'Task "a": `maxAttempts` must be a whole number from 1 to 100; got 0.',
    ],
    [
      'a name that is none',
      "export const a = defineTask({ name: 'my task', run: () => 1 });",
      'A task\'s name must be 1 to 80 letters, digits, "-" and "_"; got "my task".',
    ],
    [
      'an option out of its range, though its author catches all errors',
      "process.on('uncaughtException', () => process.exit(0));\nexport const a = defineTask({ name: 'a', concurrency: 0.5, run: () => 1 });",
      'Task "a": `concurrency` must be a whole number from 1 to 1000; got 0.5.',
    ],
    [
      'what is no JavaScript to Node',
      `${TASK}\nexport const form = /(/;`,
      'SyntaxError: Invalid regular expression: /(/: Unterminated group',
    ],
    [
      'an import that Node does not have',
      `import { nothing } from 'node:fs';\n${TASK}\nconsole.log(nothing);`,
      "SyntaxError: The requested module 'node:fs' does not provide an export named 'nothing'",
    ],
  ])('%s', (_, code, sentence) => {
    const { refused } = check(code);
    expect(refused).toContain(`Photos: the tasks module ${PATH} cannot be loaded: ${sentence}`);
  });

  it('with the values of its variables if they may be the cause', () => {
    const code =
      "export const a = defineTask({ name: 'a', timeoutSeconds: Number(process.env.LONG), run: () => 1 });";
    const { refused } = check(code, { later: ['LONG'] });
    expect(refused).toContain(
      '`timeoutSeconds` must be a number from 0.001 to 43200; got NaN. Variables that are known only at deployment had the value "known-at-deployment": LONG.',
    );
  });
});

describe('a tasks module that may load in Lambda causes a warning with the error', () => {
  it.each([
    ['for want of a variable', "throw new Error('TABLE is not set');", 'Error: TABLE is not set.'],
    ['for want of its JSON', 'JSON.parse(String(process.env.NOT_SET));', 'SyntaxError: "undefined'],
    ['for want of a global', 'lambdaOnly.begin();', 'ReferenceError: lambdaOnly is'],
    ['for a thing that is no error', "throw 'up';", 'up.'],
    [
      'as it ends its process',
      'process.exit(0);',
      'it ended its process with exit status 0 before it was loaded.',
    ],
    ['as it awaits for ever', 'await new Promise(() => {});', 'its top-level await never settles.'],
    [
      'as it is killed',
      "process.kill(process.pid, 'SIGKILL');",
      'its process was ended by SIGKILL.',
    ],
  ])('%s', (_, code, happened) => {
    const { warned } = check(`${TASK}\n${code}`);
    expect(warned).toContain(
      `The tasks module ${PATH} is not checked, because it could not be loaded here: ${happened}`,
    );
    expect(warned).toContain('Otherwise, none of its tasks will run on Lambda either.');
  });

  it('without a warning for a module that loads, whatever it prints', () => {
    const talks = "console.log('x'.repeat(2_000_000)); console.error('x'.repeat(2_000_000));";
    expect(check(`${TASK}\n${talks}\nsetInterval(() => {}, 1000);`)).toEqual({});
  });
});

describe('a package that cannot be bundled', () => {
  const inPackage = (name: string, code: string) => ({
    [`node_modules/${name}/package.json`]: '{}',
    [`node_modules/${name}/index.js`]: code,
  });

  it('is refused when it is missing, with the prop that installs it', () => {
    const { refused } = check(`import '@me/codec/fast';\n${TASK}`);
    expect(refused).toContain('it needs @me/codec, which is not in the bundle');
    expect(refused).toContain("bundling: { nodeModules: ['@me/codec'] }");
  });

  it('is refused when it is one that Lambda’s credentials make useless', () => {
    const { refused } = check(`import '@aws-sdk/credential-provider-ini';\n${TASK}`);
    expect(refused).toContain(
      'it needs @aws-sdk/credential-provider-ini, which is left out of the functions',
    );
  });

  it('causes a warning when a layer may contain it', () => {
    const { warned } = check(`import 'codec';\n${TASK}`, { externalModules: ['codec'] });
    expect(warned).toContain('codec is not in the bundle');
  });

  it.each([
    [
      'requires a native file in vain',
      "try { require('./codec.node') } catch { throw new Error('no build') }",
    ],
    [
      'asks for its folder, as in an ES module',
      "throw new ReferenceError('__dirname is not defined in ES module scope')",
    ],
  ])('is refused when it %s', (_, code) => {
    const { refused } = check(`import 'codec';\n${TASK}`, { files: inPackage('codec', code) });
    expect(refused).toContain('codec needs its own files');
    expect(refused).toContain("bundling: { nodeModules: ['codec'] }");
  });

  it('is refused when another package looks for its native files', () => {
    const files = {
      ...inPackage('bindings', "module.exports = () => { throw new Error('no bindings file') };"),
      ...inPackage('codec', "require('bindings')('codec');"),
    };
    const { refused } = check(`import 'codec';\n${TASK}`, { files });
    expect(refused).toContain('codec needs its own files');
  });

  it('is refused when it is installed without its native files', () => {
    const { refused } = check(`import 'codec';\n${TASK}`, {
      files: inPackage('codec', "require('./codec.node')"),
      nodeModules: ['codec'],
    });
    expect(refused).toContain(`codec was installed without a build for linux-${process.arch}`);
  });

  it('is not blamed for an error of the tasks module’s own', () => {
    const { warned } = check(`import 'codec';\nthrow new Error('TABLE is not set');`, {
      files: inPackage('codec', "try { require('./codec.node') } catch {}"),
    });
    expect(warned).toContain('Error: TABLE is not set.');
  });

  it('causes a warning when it fails for another reason', () => {
    const { warned } = check(`import 'codec';\n${TASK}`, {
      files: inPackage('codec', "throw new Error('CODEC_KEY is not set')"),
    });
    expect(warned).toContain('Error: CODEC_KEY is not set.');
  });
});
