import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Time limit for loading a tasks module, in milliseconds. */
const LOAD_MS = 30_000;

/** The facts about a task that synthesis checks. */
export interface TaskFacts {
  name: string;
  timeoutSeconds: number;
}

/** An uncaught error. */
export interface Thrown {
  name: string;
  code: string;
  message: string;
  /** Lines of its stack, source-mapped if the bundle has source maps. */
  frames: string[];
  /** True if requiring a `*.node` file had failed before. */
  lacksNative: boolean;
}

/** The tasks of a bundle, the error that loading it threw, or another end of its process. */
export type Loaded = { tasks: readonly TaskFacts[] } | { thrown: Thrown } | { ended: string };

/** File descriptor for reports, since the module may print to standard output and error. */
const REPORT_FD = 3;

/** Global function by which code in the process reports. */
const REPORT = "globalThis[Symbol.for('fanfold.report')]";

interface Report {
  tasks?: TaskFacts[];
  thrown?: { name: string; code: string; message: string; stack: string };
  lacksNative?: boolean;
}

/**
 * Code that runs before the bundle. The monitor also sees errors that a listener of the module
 * handles, and parse errors, which occur before any code of the bundle runs.
 */
const PRELOADED = `
  import { writeSync } from 'node:fs';
  import Module from 'node:module';
  const report = (lines) => writeSync(${REPORT_FD}, JSON.stringify(lines) + '\\n');
  ${REPORT} = report;
  process.on('uncaughtExceptionMonitor', (error) => {
    const { name = '', code = '', message = error, stack = '' } = Object(error);
    const texts = Object.entries({ name, code, message, stack });
    report({ thrown: Object.fromEntries(texts.map(([key, value]) => [key, String(value)])) });
  });
  const load = Module._load;
  Module._load = function (request, ...others) {
    try {
      return load.call(this, request, ...others);
    } catch (error) {
      if (String(request).endsWith('.node')) report({ lacksNative: true });
      throw error;
    }
  };`;

/** Loads a bundle, reports its tasks, and ends the process. */
const reportTasksOf = (url: string) => `
  const { loadTasks } = await import(${JSON.stringify(url)});
  const mark = Symbol.for('fanfold.task');
  const tasks = [...new Set(Object.values(await loadTasks()))]
    .filter((value) => typeof value === 'object' && value !== null && mark in value)
    .map(({ name, timeoutSeconds }) => ({ name, timeoutSeconds }));
  ${REPORT}({ tasks });
  process.exit(0);`;

/** Loads the tasks of a function's code in a separate process. */
export function loadTasks(folder: string, env: Readonly<Record<string, string>>): Loaded {
  const preload = `data:text/javascript,${encodeURIComponent(PRELOADED)}`;
  const { NODE_PATH: _, ...inherited } = process.env;
  const { output, status, signal, error } = spawnSync(
    process.execPath,
    ['--import', preload, '--input-type=module', '-'],
    {
      input: reportTasksOf(pathToFileURL(join(folder, 'index.mjs')).href),
      encoding: 'utf8',
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      timeout: LOAD_MS,
      // The module may handle or ignore other signals.
      killSignal: 'SIGKILL',
      cwd: folder,
      env: { ...inherited, LAMBDA_TASK_ROOT: folder, ...env },
    },
  );
  const lines = (output?.[REPORT_FD] ?? '').split('\n').filter((line) => line !== '');
  const reports: Report[] = lines.map((line) => JSON.parse(line));
  const { tasks, thrown, lacksNative = false }: Report = Object.assign({}, ...reports);
  if (tasks !== undefined) return { tasks };
  if (thrown === undefined) return { ended: endOf({ status, signal, error }) };
  const { stack, ...facts } = thrown;
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line));
  return { thrown: { ...facts, frames, lacksNative } };
}

/** Exit status of Node: https://nodejs.org/api/process.html#exit-codes */
const UNSETTLED_AWAIT = 13;

interface End {
  status: number | null;
  signal: string | null;
  error?: Error | undefined;
}

/** Describes the end of a process that reported neither tasks nor an error. */
function endOf({ status, signal, error }: End): string {
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') {
    return `it was still loading after ${LOAD_MS / 1000} seconds`;
  }
  if (error !== undefined) return String(error);
  if (signal !== null) return `its process was ended by ${signal}`;
  if (status === UNSETTLED_AWAIT) return 'its top-level await never settles';
  return `it ended its process with exit status ${status} before it was loaded`;
}
