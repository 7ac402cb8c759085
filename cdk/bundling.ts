import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Stack } from 'aws-cdk-lib';
import { LogLevel, type NodejsFunctionProps, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import { refuse } from './refuse.ts';

/** This file runs as `.ts` in the repository and as `.js` in the package; so do the entries. */
const HERE = fileURLToPath(import.meta.url);
const FUNCTIONS = join(dirname(HERE), '..', 'functions');

/** What the entries import their tasks from: the tasks that ship, unless the bundler repoints it. */
const TASKS_IMPORT = '#shipped-tasks';

/**
 * Gives bundled CommonJS packages their `require`. Not by a declaration, which would clash with
 * one of the same name in the bundled code.
 */
const REQUIRE_BANNER =
  "import { createRequire as fanfoldCreateRequire } from 'node:module'; globalThis.require ??= fanfoldCreateRequire(import.meta.url);";

/**
 * How one of Fanfold's entries becomes a Lambda function's code: one ESM file with the tasks
 * module in it, made by the esbuild that is installed, never in Docker.
 *
 * @param tasks path of the tasks module, absolute or from the current folder
 */
export function bundle(
  scope: Construct,
  entry: 'seed' | 'worker',
  tasks: string | undefined,
): Pick<
  NodejsFunctionProps,
  'entry' | 'handler' | 'projectRoot' | 'depsLockFilePath' | 'bundling'
> {
  const tasksPath = tasks === undefined ? undefined : tasksModule(scope, tasks);
  if (Stack.of(scope).bundlingRequired) requireEsbuild(scope);
  const entryPath = join(FUNCTIONS, `${entry}${extname(HERE)}`);
  return {
    entry: entryPath,
    handler: 'handler',
    // CDK wants the entry below the root, and a lock file too, which it reads only to install
    // `nodeModules`, of which there are none. So neither is looked for in the user's project, which
    // may have no lock file, or two, or lie elsewhere than a linked package.
    projectRoot: dirname(FUNCTIONS),
    depsLockFilePath: entryPath,
    bundling: {
      format: OutputFormat.ESM,
      // Most packages carry a CommonJS and an ESM form: esbuild drops unused parts of the latter only.
      mainFields: ['module', 'main'],
      bundleAwsSDK: true,
      minify: true,
      // Errors carry their class's name to the collector.
      keepNames: true,
      banner: REQUIRE_BANNER,
      sourceMap: true,
      sourcesContent: false,
      logLevel: LogLevel.WARNING,
      ...(tasksPath === undefined
        ? {}
        : { esbuildArgs: { [`--alias:${TASKS_IMPORT}`]: tasksPath } }),
    },
  };
}

function tasksModule(scope: Construct, tasks: string): string {
  const path = resolve(tasks);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return path;
  refuse(
    scope,
    `\`tasks\` is the path of your tasks module, from the folder that the app runs in; ${path} ${found ? 'is not a file' : 'is not there'}.`,
  );
}

/** Without this check a missing esbuild would be a try at Docker. */
function requireEsbuild(scope: Construct): void {
  const resolvable = [HERE, join(process.cwd(), 'app.js')].some((from) => {
    try {
      createRequire(from).resolve('esbuild');
      return true;
    } catch {
      return false;
    }
  });
  if (resolvable) return;
  refuse(
    scope,
    'the functions are bundled with esbuild, which is not installed: npm install --save-dev esbuild',
  );
}
