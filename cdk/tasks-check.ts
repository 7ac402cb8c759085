import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname } from 'node:path';
import { Annotations, Token } from 'aws-cdk-lib';
import type { BundlingOptions } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import type { BuildOptions, BuildResult, Loader } from 'esbuild';
import { NEVER_LOADED } from './bundling.ts';
import { FanfoldPropsError, refuse } from './refuse.ts';
import { loadTasks, TELL_BEGUN, tellTasksOf } from './tasks-load.ts';

/** What a worker keeps of its time for reporting what it did, in seconds, and a little more. */
const FAREWELL_SECONDS = 10;

/** What such variables hold meanwhile. */
const LATER = 'known-at-deployment';

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
 * @throws FanfoldPropsError when it can't be bundled, is wrong wherever it is loaded, has no tasks or
 *   two of one name, or one that takes longer than a worker may
 */
export function checkTasks(
  scope: Construct,
  esbuildPath: string,
  { path, timeoutSeconds, environment, bundling }: Checked,
): void {
  const code = bundled(scope, esbuildPath, path, bundling);
  if (code === undefined) return;
  // What is known at deployment only is not a value yet, but it is there.
  const later = Object.keys(environment).filter((name) => Token.isUnresolved(environment[name]));
  const env = { ...environment, ...Object.fromEntries(later.map((name) => [name, LATER])) };
  const loaded = loadTasks(code, { cwd: dirname(path), env });
  const told =
    later.length === 0
      ? ''
      : ` Variables that are known at deployment only were "${LATER}": ${later.join(', ')}.`;
  if ('wrong' in loaded) {
    refuse(scope, `the tasks module ${path} can't be loaded: ${loaded.wrong}${told}`);
  }
  if ('failed' in loaded) {
    warn(
      scope,
      `The tasks module ${path} is not checked, as it could not be loaded here: ${loaded.failed}.${told} That ends no synthesis, since it may need what is there in Lambda alone: a variable, a network, a native module for another processor. If it does not, no task of it will run there either.`,
    );
    return;
  }
  const { tasks } = loaded;
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
  try {
    const { outputFiles = [], metafile } = buildSync({
      stdin: { contents: tellTasksOf(path), resolveDir: dirname(path), loader: 'js' },
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
      banner: { js: TELL_BEGUN },
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
    // Arguments of a command line, which only the functions' own bundling can take.
    warn(
      scope,
      `The tasks module ${path} is not checked, as it ${reason}. That ends no synthesis, since it is tried here without the \`esbuildArgs\` of \`bundling\`, which may be what it needs.`,
    );
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

function warn(scope: Construct, sentences: string): void {
  Annotations.of(scope).addWarningV2('fanfold:tasksNotLoaded', sentences);
}

interface Location {
  file: string;
  line: number;
}
