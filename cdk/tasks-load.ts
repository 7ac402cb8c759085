import { spawnSync } from 'node:child_process';

/** How long a tasks module may take to load, in milliseconds. */
const LOAD_MS = 30_000;

/** The Node that the functions run on. An older one may not know what is right there. */
const NODE_OF_LAMBDA = 24;

/** What is looked at of a task. */
export interface TaskFacts {
  name: string;
  timeoutSeconds: number;
}

/** What came of a module: its tasks, or a sentence's end that says why they are not known. */
export type Loaded =
  | { tasks: readonly TaskFacts[] }
  /** It is wrong wherever it is loaded. */
  | { wrong: string }
  /** Somewhere else it may load. */
  | { failed: string };

/** Where the process tells: the module may print what it likes, as much as it likes. */
const TOLD_FD = 3;

/** How code in the process tells something. */
const TELL = "globalThis[Symbol.for('fanfold.told')]";

interface Told {
  tasks?: TaskFacts[];
  /** The module has been parsed and linked, and begins to run. */
  begun?: boolean;
  thrown?: { name: string; code: string; message: string };
}

/**
 * Runs before the module, and declares nothing in it, which a name of the module's could clash with.
 * Bundled CommonJS packages have their `require` of it, as in the functions. The monitor sees also
 * what the module catches itself, and an error of parsing, when nothing of the module has run.
 */
const PRELOADED = `
  import { writeSync } from 'node:fs';
  import { createRequire } from 'node:module';
  globalThis.require ??= createRequire(process.cwd() + '/x.js');
  const tell = (told) => writeSync(${TOLD_FD}, JSON.stringify(told) + '\\n');
  ${TELL} = tell;
  process.on('uncaughtExceptionMonitor', (error) => {
    const { name = '', code = '', message = error } = Object(error);
    tell({ thrown: { name: String(name), code: String(code), message: String(message) } });
  });`;

/** Begins the bundled module. */
export const TELL_BEGUN = `${TELL}({ begun: true });`;

/** Code that tells the tasks of the module at a path, and ends the process. */
export function tellTasksOf(path: string): string {
  return `
    import * as module from ${JSON.stringify(path)};
    const mark = Symbol.for('fanfold.task');
    const tasks = [...new Set(Object.values(module))]
      .filter((value) => typeof value === 'object' && value !== null && mark in value)
      .map(({ name, timeoutSeconds }) => ({ name, timeoutSeconds }));
    ${TELL}({ tasks });
    process.exit(0);`;
}

/** Runs bundled code that tells tasks, in a process of its own. */
export function loadTasks(
  code: string,
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
): Loaded {
  const preload = `data:text/javascript,${encodeURIComponent(PRELOADED)}`;
  const { output, status, signal, error } = spawnSync(
    process.execPath,
    ['--import', preload, '--input-type=module', '-'],
    {
      input: code,
      encoding: 'utf8',
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      timeout: LOAD_MS,
      // Of other signals it may have handlers.
      killSignal: 'SIGKILL',
      cwd,
      env: { ...process.env, ...env },
    },
  );
  const lines = (output?.[TOLD_FD] ?? '').split('\n').filter((line) => line !== '');
  const { tasks, begun, thrown }: Told = Object.assign(
    {},
    ...lines.map((line) => JSON.parse(line)),
  );
  if (tasks !== undefined) return { tasks };
  if (thrown !== undefined) return ofThrown(thrown, begun === true);
  return { failed: endOf({ status, signal, error }) };
}

function ofThrown({ name, code, message }: NonNullable<Told['thrown']>, begun: boolean): Loaded {
  const [line = ''] = message.split('\n');
  // What `defineTask` throws, whichever copy of it.
  if (name === 'FanfoldError' && code === 'BadTask') return { wrong: line };
  const failed = name === '' ? line : `${name}: ${line}`;
  // Later, one may be of data: of a variable's that is JSON, for example.
  const ofModule = name === 'SyntaxError' && !begun;
  const [major = ''] = process.versions.node.split('.');
  return ofModule && Number(major) >= NODE_OF_LAMBDA ? { wrong: failed } : { failed };
}

/** Node's own, https://nodejs.org/api/process.html#exit-codes */
const UNSETTLED_AWAIT = 13;

interface End {
  status: number | null;
  signal: string | null;
  error?: Error | undefined;
}

/** How a process ended that told neither tasks nor an error. */
function endOf({ status, signal, error }: End): string {
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') {
    return `it was still loading after ${LOAD_MS / 1000} seconds`;
  }
  if (error !== undefined) return String(error);
  if (signal !== null) return `its process was ended by ${signal}`;
  if (status === UNSETTLED_AWAIT) return 'it awaits at its top level what never comes';
  return `it ended its process, with exit status ${status}, before it was loaded`;
}
