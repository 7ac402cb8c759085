import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CfnParameter, type Stack } from 'aws-cdk-lib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkTasks } from '../../cdk/tasks-check.ts';
import { emptyStack } from './synthesis.ts';

const esbuild = createRequire(import.meta.url).resolve('esbuild');
let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fanfold-tasks-'));
  path = join(folder, 'tasks.ts');
  // Its own, as a folder above may have one that says what 'fanfold' is.
  writeFileSync(join(folder, 'package.json'), '{}');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(process.cwd(), join(folder, 'node_modules/fanfold'), 'dir');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What is refused, or warned of, in a module with this code. */
function check(code: string, environment: (stack: Stack) => Record<string, string> = () => ({})) {
  writeFileSync(path, `import { defineTask } from 'fanfold';\n${code}\n`);
  const stack = emptyStack();
  const checked = { path, timeoutSeconds: 900, environment: environment(stack), bundling: {} };
  try {
    checkTasks(stack, esbuild, checked);
  } catch (error) {
    return { refused: String(error) };
  }
  const warning = stack.node.metadata.find(({ type }) => type === 'aws:cdk:warning');
  return warning === undefined ? {} : { warned: String(warning.data) };
}

const TASK = "export const a = defineTask({ name: 'a', run: () => 1 });";

describe('a tasks module that is wrong wherever it is loaded is refused', () => {
  it.each([
    [
      'an option out of its range',
      "export const a = defineTask({ name: 'a', maxAttempts: 0, run: () => 1 });",
      'Task "a": `maxAttempts` is a whole number from 1 to 100; 0 is not.',
    ],
    [
      'a name that is none',
      "export const a = defineTask({ name: 'my task', run: () => 1 });",
      'A task\'s name is 1 to 80 letters, digits, "-" and "_"; "my task" is not.',
    ],
    [
      'an option out of its range, though its author catches all errors',
      "process.on('uncaughtException', () => process.exit(0));\nexport const a = defineTask({ name: 'a', concurrency: 0.5, run: () => 1 });",
      'Task "a": `concurrency` is a whole number from 1 to 1000; 0.5 is not.',
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
    expect(check(code)).toEqual({
      refused: `FanfoldPropsError: Photos: the tasks module ${path} can't be loaded: ${sentence}`,
    });
  });

  it('with what its variables were, where that may be why', () => {
    const code =
      "export const a = defineTask({ name: 'a', timeoutSeconds: Number(process.env.LONG), run: () => 1 });";
    const { refused } = check(code, (stack) => ({
      TABLE: 'photos',
      LONG: new CfnParameter(stack, 'Long').valueAsString,
    }));
    expect(refused).toContain(
      '`timeoutSeconds` is a number from 0.001 to 43200; null is not. Variables that are known at deployment only were "known-at-deployment": LONG.',
    );
  });
});

describe('a tasks module that may load in Lambda is warned of, with what happened', () => {
  it.each([
    ['for want of a variable', "throw new Error('TABLE is not set');", 'Error: TABLE is not set.'],
    ['for want of its JSON', 'JSON.parse(String(process.env.NOT_SET));', 'SyntaxError: "undefined'],
    ['for want of what runs it', 'awslambda.streamifyResponse();', 'ReferenceError: awslambda is'],
    ['for a thing that is no error', "throw 'up';", 'up.'],
    [
      'as it ends its process',
      'process.exit(0);',
      'it ended its process, with exit status 0, before it was loaded.',
    ],
    [
      'as it awaits for ever',
      'await new Promise(() => {});',
      'it awaits at its top level what never comes.',
    ],
    [
      'as it is killed',
      "process.kill(process.pid, 'SIGKILL');",
      'its process was ended by SIGKILL.',
    ],
  ])('%s', (_, code, happened) => {
    const { warned } = check(`${TASK}\n${code}`);
    expect(warned).toContain(
      `The tasks module ${path} is not checked, as it could not be loaded here: ${happened}`,
    );
    expect(warned).toContain(
      ' That ends no synthesis, since it may need what is there in Lambda alone: a variable, a network, a native module for another processor. If it does not, no task of it will run there either.',
    );
  });

  it('and nothing is said of one that loads, whatever it prints', () => {
    const talks = "console.log('x'.repeat(2_000_000)); console.error('x'.repeat(2_000_000));";
    expect(check(`${TASK}\n${talks}\nsetInterval(() => {}, 1000);`)).toEqual({});
  });
});
