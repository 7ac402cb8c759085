import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Annotations } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { BuildOptions, BuildResult } from 'esbuild';
import { refuse } from './refuse.ts';

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
  timeoutSeconds: number | undefined;
  /** Modules that are not bundled. */
  external: string[];
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
  { path, timeoutSeconds, external }: Checked,
): void {
  const code = bundled(scope, esbuildPath, path, external);
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-'], {
    input: code,
    encoding: 'utf8',
    timeout: LOAD_MS,
    cwd: dirname(path),
  });
  const told = stdout.split('\n').find((line) => line.startsWith(MARK));
  if (status !== 0 || told === undefined) {
    // It may need what is there in Lambda alone: environment variables, a native module.
    Annotations.of(scope).addWarningV2(
      'fanfold:tasksNotLoaded',
      `The tasks module ${path} could not be loaded here, so its tasks are not checked: ${reasonIn(stderr)}`,
    );
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
  const most = (timeoutSeconds ?? Number.POSITIVE_INFINITY) - FAREWELL_SECONDS;
  const long = tasks.find((task) => task.timeoutSeconds > most);
  if (long === undefined) return;
  refuse(
    scope,
    `the task "${long.name}" has a timeoutSeconds of ${long.timeoutSeconds}, and a worker's \`timeout\` of ${timeoutSeconds} seconds leaves at most ${most}: lower the one, or raise the other, up to Lambda's 15 minutes. Tasks that take longer run where \`fanfold work --stack\` does.`,
  );
}

/** Begins the line that tells the tasks: the module may print lines of its own. */
const MARK = '\u0001fanfold-tasks ';

function bundled(scope: Construct, esbuildPath: string, path: string, external: string[]): string {
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
    const { outputFiles = [] } = buildSync({
      stdin: { contents, resolveDir: dirname(path), loader: 'js' },
      bundle: true,
      write: false,
      platform: 'node',
      format: 'esm',
      mainFields: ['module', 'main'],
      external,
      banner: {
        js: "import { createRequire } from 'node:module'; globalThis.require ??= createRequire(process.cwd() + '/x.js');",
      },
      logLevel: 'silent',
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    const [first] = (error as { errors?: { text: string; location?: Location }[] }).errors ?? [];
    const where = first?.location ? ` (${first.location.file}:${first.location.line})` : '';
    refuse(scope, `the tasks module ${path} can't be bundled: ${first?.text ?? error}${where}`);
  }
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
