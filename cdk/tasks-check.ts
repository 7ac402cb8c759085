import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Annotations } from 'aws-cdk-lib';
import type { BundlingOptions } from 'aws-cdk-lib/aws-lambda-nodejs';
import type { Construct } from 'constructs';
import { type FinishedCode, LATER } from './finished-code.ts';
import {
  fits,
  misfit,
  type NativeFile,
  nativeFiles,
  type Platform,
  packageOf,
  shownPlatform,
} from './native-files.ts';
import { packageFrom } from './node-modules.ts';
import { refuse } from './refuse.ts';
import { failureOf, installing } from './tasks-failure.ts';
import { type Loaded, loadTasks, type TaskFacts } from './tasks-load.ts';

/** Time that a worker reserves to report its results, plus a small margin, in seconds. */
const FAREWELL_SECONDS = 10;

interface Checked {
  /** The tasks module. */
  path: string;
  /** Timeout of a worker's invocation. */
  timeoutSeconds: number;
  /** Platform of the functions. */
  target: Platform;
  bundling: Readonly<BundlingOptions>;
}

/**
 * Loads the tasks from each function's finished code, in a process of its own, so that synthesis
 * reports errors that would otherwise appear only in Lambda's logs.
 *
 * @throws FanfoldPropsError when a native file is for another platform, when the tasks can't be
 *   loaded in Lambda either, or when there are none, two of one name, or one with a time limit
 *   longer than a worker's
 */
export function checkTasks(
  scope: Construct,
  codes: readonly FinishedCode[],
  checked: Checked,
): void {
  for (const each of codes) {
    const tasks = tasksOf(scope, each, checked);
    // The other functions have the same tasks module.
    if (tasks === undefined) return;
    checkFacts(scope, tasks, checked);
  }
}

/** @returns undefined if they may be loadable only in Lambda */
function tasksOf(
  scope: Construct,
  { folder, env, later }: FinishedCode,
  { path, target, bundling }: Checked,
): readonly TaskFacts[] | undefined {
  const { nodeModules = [], externalModules = [] } = bundling;
  const files = nativeFiles(folder);
  refuseMisfit(scope, files, target);
  const whole = files.length === 0 || fits(thisMachine(), target);
  const loaded = loadCopy(folder, env, whole ? undefined : { nodeModules, from: dirname(path) });
  if ('tasks' in loaded) {
    if (!whole) warnUnloaded(scope, files, target);
    return loaded.tasks;
  }
  const failure =
    'ended' in loaded
      ? { failed: loaded.ended }
      : failureOf(loaded.thrown, { target, nodeModules, externalModules, whole });
  const note =
    later.length === 0
      ? ''
      : ` Variables that are known only at deployment had the value "${LATER}": ${later.join(', ')}.`;
  if ('wrong' in failure) {
    refuse(scope, `the tasks module ${path} cannot be loaded: ${sentence(failure.wrong)}${note}`);
  }
  warn(
    scope,
    'tasksNotLoaded',
    `The tasks module ${path} is not checked, because it could not be loaded here: ${sentence(failure.failed)}${note} Synthesis continues, because the module may need something that only Lambda has: a variable, a network, a layer. Otherwise, none of its tasks will run on Lambda either.`,
  );
  return undefined;
}

/**
 * Loads a copy of a function's code that can find only its own modules, as in Lambda. The assembly
 * itself may lie in a project that has other modules.
 *
 * @param standIns modules of the project that replace the function's own, if this machine can't
 *   load those
 */
function loadCopy(
  folder: string,
  env: Readonly<Record<string, string>>,
  standIns: { nodeModules: readonly string[]; from: string } | undefined,
): Loaded {
  const copy = mkdtempSync(join(tmpdir(), 'fanfold-bundle-'));
  const installed = join(folder, 'node_modules');
  try {
    cpSync(folder, copy, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => standIns === undefined || source !== installed,
    });
    for (const name of standIns?.nodeModules ?? []) {
      const found = packageFrom(standIns?.from ?? '', name);
      if (found === undefined) continue;
      const link = join(copy, 'node_modules', name);
      mkdirSync(dirname(link), { recursive: true });
      symlinkSync(found, link, 'junction');
    }
    return loadTasks(copy, env);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Adds a full stop, unless an error's message has one. */
function sentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`;
}

function refuseMisfit(scope: Construct, files: readonly NativeFile[], target: Platform): void {
  const found = misfit(files, target);
  if (found === undefined) return;
  const { path, platform } = found;
  const built = platform
    ? `is built for ${shownPlatform(platform)}`
    : 'is not a native module: it has no ELF, Mach-O or PE header';
  const remedy =
    packageOf(path) === undefined
      ? `Install its package instead of bundling it: ${installing('<its name>')}.`
      : `Its package has no build for ${shownPlatform(target)}, or its install script compiled for this machine: use a package with builds for both, synthesize on a machine of that kind, or set the \`architecture\` that it has builds for.`;
  refuse(
    scope,
    `${path}, in the functions' code, ${built}, and the functions run on ${shownPlatform(target)}. ${remedy}`,
  );
}

/** Platform of the native files that this process can load. */
function thisMachine(): Platform {
  const { platform: os, arch: cpu } = process;
  if (os !== 'linux') return { os, cpu };
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return { os, cpu, libc: header.glibcVersionRuntime === undefined ? 'musl' : 'glibc' };
}

function warnUnloaded(scope: Construct, files: readonly NativeFile[], target: Platform): void {
  const packages = new Set(files.map(({ path }) => packageOf(path) ?? path));
  warn(
    scope,
    'nativeNotLoaded',
    `The native files of ${[...packages].join(', ')} are built for ${shownPlatform(target)}, as the functions need, but this machine (${shownPlatform(thisMachine())}) cannot load them. Synthesis loaded the tasks with your project's own \`node_modules\` instead. If those of the functions do not load, the first run will report it.`,
  );
}

function warn(scope: Construct, id: string, sentences: string): void {
  Annotations.of(scope).addWarningV2(`fanfold:${id}`, sentences);
}

function checkFacts(
  scope: Construct,
  tasks: readonly TaskFacts[],
  { path, timeoutSeconds }: Checked,
): void {
  if (tasks.length === 0) {
    refuse(
      scope,
      `the tasks module ${path} exports no task. Export the value of defineTask() by name: export const mine = defineTask({ name: 'mine', run: ... }).`,
    );
  }
  const names = tasks.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) {
    refuse(scope, `two tasks in ${path} have the name "${twice}". Rename one of them.`);
  }
  const most = timeoutSeconds - FAREWELL_SECONDS;
  const long = tasks.find((task) => task.timeoutSeconds > most);
  if (long === undefined) return;
  refuse(
    scope,
    `the task "${long.name}" has a timeoutSeconds of ${long.timeoutSeconds}, and a worker's \`timeout\` of ${timeoutSeconds} seconds allows at most ${most}: lower \`timeoutSeconds\`, or raise \`timeout\`, up to Lambda's 15 minutes. Longer tasks can run with \`fanfold work --stack\`.`,
  );
}
