import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { Annotations, Token } from 'aws-cdk-lib';
import type { BundlingOptions } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import type { BuildOptions, BuildResult, Loader } from 'esbuild';
import { NEVER_LOADED } from './bundling.ts';
import { FanfoldPropsError, refuse } from './refuse.ts';

/** What a worker keeps of its time for reporting what it did, in seconds, and a little more. */
const FAREWELL_SECONDS = 10;

/** How long a tasks module may take to load, in milliseconds. */
const LOAD_MS = 30_000;

interface TaskFacts {
  name: string;
  timeoutSeconds: number;
}

interface Checked {
  path: string;
  /** How long an invocation of a worker may take. */
  timeoutSeconds: number;
  /** What the functions have in theirs. */
  environment: Readonly<Record<string, string>>;
  /** How else than by default the functions are bundled. */
  bundling: Readonly<BundlingOptions>;
}

/**
 * Loads the tasks module as the functions will, in a process of its own, so that what is wrong with
 * it is said now and not in a log of Lambda's.
 *
 * @throws FanfoldPropsError when it can't be bundled, has no tasks or two of one name, or one that
 *   takes longer than a worker may
 */
export function checkTasks(
  scope: Construct,
  esbuildPath: string,
  { path, timeoutSeconds, environment, bundling }: Checked,
): void {
  const code = bundled(scope, esbuildPath, path, bundling);
  if (code === undefined) return;
  // What is known at deployment only is not a value yet, but it is there.
  const known = Object.entries(environment).map(([name, value]) => [
    name,
    Token.isUnresolved(value) ? 'known-at-deployment' : value,
  ]);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-'], {
    input: code,
    encoding: 'utf8',
    timeout: LOAD_MS,
    cwd: dirname(path),
    env: { ...process.env, ...Object.fromEntries(known) },
  });
  const told = stdout.split('\n').find((line) => line.startsWith(MARK));
  if (status !== 0 || told === undefined) {
    // It may need what is there in Lambda alone: a native module, another processor.
    warn(scope, path, `could not be loaded here: ${reasonIn(stderr)}`);
    return;
  }
  const tasks = JSON.parse(told.slice(MARK.length)) as TaskFacts[];
  if (tasks.length === 0) {
    refuse(
      scope,
      `the tasks module ${path} exports no task. Export what defineTask() returns, by name: export const mine = defineTask({ name: 'mine', run: ... }).`,
    );
  }
  const names = tasks.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    refuse(scope, `two tasks in ${path} are named "${twice}". Give one of them another name.`);
  }
  const most = timeoutSeconds - FAREWELL_SECONDS;
  const long = tasks.find((task) => task.timeoutSeconds > most);
  if (long === undefined) return;
  refuse(
    scope,
    `the task "${long.name}" has a timeoutSeconds of ${long.timeoutSeconds}, and a worker's \`timeout\` of ${timeoutSeconds} seconds leaves at most ${most}: lower the one, or raise the other, up to Lambda's 15 minutes. Tasks that take longer run where \`fanfold work --stack\` does.`,
  );
}

/** Begins the line that tells the tasks: the module may print lines of its own. */
const MARK = '\u0001fanfold-tasks ';

/** @returns undefined when only the functions' own bundling can tell */
function bundled(
  scope: Construct,
  esbuildPath: string,
  path: string,
  {
    externalModules = [],
    nodeModules = [],
    loader = {},
    define = {},
    esbuildArgs,
  }: BundlingOptions,
): string | undefined {
  const { buildSync } = createRequire(esbuildPath)(esbuildPath) as {
    buildSync(options: BuildOptions): BuildResult;
  };
  const contents = `
    import * as module from ${JSON.stringify(path)};
    const mark = Symbol.for('fanfold.task');
    const tasks = [...new Set(Object.values(module))]
      .filter((value) => typeof value === 'object' && value !== null && mark in value)
      .map(({ name, timeoutSeconds }) => ({ name, timeoutSeconds }));
    console.log('\\n' + ${JSON.stringify(MARK)} + JSON.stringify(tasks));
    process.exit(0);`;
  try {
    const { outputFiles = [], metafile } = buildSync({
      stdin: { contents, resolveDir: dirname(path), loader: 'js' },
      bundle: true,
      write: false,
      // Nothing is written, but some loaders want to know where it would be.
      outdir: tmpdir(),
      platform: 'node',
      format: 'esm',
      mainFields: ['module', 'main'],
      external: [...NEVER_LOADED, ...externalModules, ...nodeModules],
      // CDK takes any text, and hands it to the same esbuild.
      loader: loader as Record<string, Loader>,
      define,
      metafile: true,
      banner: {
        js: "import { createRequire } from 'node:module'; globalThis.require ??= createRequire(process.cwd() + '/x.js');",
      },
      logLevel: 'silent',
    });
    const imports = Object.values(metafile?.outputs ?? {}).flatMap((output) => output.imports);
    refuseLeftOut(scope, path, imports, nodeModules);
    return outputFiles.find(({ path: name }) => name.endsWith('.js'))?.text ?? '';
  } catch (error) {
    if (error instanceof FanfoldPropsError) throw error;
    const [first] = (error as { errors?: { text: string; location?: Location }[] }).errors ?? [];
    const where = first?.location ? ` (${first.location.file}:${first.location.line})` : '';
    const reason = `can't be bundled: ${first?.text ?? error}${where}`;
    if (esbuildArgs === undefined) refuse(scope, `the tasks module ${path} ${reason}`);
    // Arguments of a command line, which may be what mends it.
    warn(scope, path, reason);
    return undefined;
  }
}

/** What is imported by a statement is loaded at once, though the functions' bundles lack it. */
function refuseLeftOut(
  scope: Construct,
  path: string,
  imports: { path: string; kind: string; external?: boolean }[],
  nodeModules: string[],
): void {
  const leftOut = imports.find(
    (one) =>
      one.external === true &&
      one.kind === 'import-statement' &&
      NEVER_LOADED.includes(one.path) &&
      !nodeModules.includes(one.path),
  );
  if (leftOut === undefined) return;
  refuse(
    scope,
    `the tasks module ${path} needs ${leftOut.path}, which is left out of the functions, as Lambda gives them their credentials itself. Where tasks do need it: bundling: { nodeModules: ['${leftOut.path}'] }.`,
  );
}

function warn(scope: Construct, path: string, reason: string): void {
  Annotations.of(scope).addWarningV2(
    'fanfold:tasksNotLoaded',
    `The tasks module ${path} is not checked, as it ${reason}`,
  );
}

interface Location {
  file: string;
  line: number;
}

function reasonIn(stderr: string): string {
  return (
    stderr.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? (stderr.trim() || 'it hangs')
  );
}
