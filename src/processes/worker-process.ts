import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync } from 'node:fs';
// Not by name: without these exports, an older Node could not even say that it is too old.
import * as nodeModule from 'node:module';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { FanfoldError } from '../errors.ts';
import type { TasksCode } from '../loading/tasks-module.ts';
import type { LogLine } from '../pipeline/working/log-line.ts';
import type { Unsent } from '../pipeline/working/report.ts';
import type { TaskFacts } from '../task.ts';
import { endWithThisProcess, HAS_GROUPS, hasEnded, killGroup } from './groups.ts';
import { type InHand, isCurrent, type Receives, readJournal } from './in-flight-journal.ts';
import type { Measured } from './measuring.ts';
import { workerArgs } from './node-args.ts';
import { tellLines } from './printed.ts';
import {
  type FromWorker,
  marked,
  type Ran,
  readMarked,
  type Start,
  type ToWorker,
} from './protocol.ts';
import { shortageOf } from './shortage.ts';
import type { Stray } from './stray.ts';
import { openUnnamedFile } from './unnamed-file.ts';

/** End of a worker process, and the work that it left behind. */
export interface Death {
  inHand: InHand[];
  /** Results that it could not send. */
  unsent: Unsent[];
  /** Whether it had finished a chunk, or an input of one. */
  progressed: boolean;
  /** Numbers of receives that had returned messages. */
  receives: Receives;
  /** Exit status, with the error if known: `exit code 1: Error: boom`, or `SIGKILL`. */
  cause: string;
  /** The uncaught error that it died of, if any. */
  stray: Stray | undefined;
  /** Whether it was killed because a task blocked the thread longer than its time limit. */
  overran: boolean;
  /** Whether a signal ended it. */
  killed: boolean;
  /** Whether it had loaded its tasks. */
  started: boolean;
  /** Why its tasks module could not be loaded, if it reported that. */
  unloadable: string | undefined;
  /** Why there was no process at all, if the machine has no room for it. */
  shortage: FanfoldError | undefined;
  /** Whether it ended by itself with nothing left to do, to be replaced by a fresh process. */
  orderly: boolean;
}

export interface WorkerProcessOptions {
  start: Omit<Start, 'tasks'>;
  /** The tasks module, which is read while the process starts. */
  code: Promise<TasksCode>;
  /** Whether this process may exit while the worker runs. */
  background: boolean;
  onReady: (tasks: TaskFacts[]) => void;
  onTrouble: (message: string, passing: boolean) => void;
  onRan: (ran: Ran) => void;
  onDeath: (death: Death) => void;
  /** Receives the lines that tasks log and print. @default they go to standard error */
  onLog?: ((line: LogLine) => void) | undefined;
  /** Time that a task, or its setup, may block the process before it is killed, in seconds. */
  blockedSeconds: (task: string, inSetup: boolean) => number;
}

// With this file's extension: `.ts` in the repository, `.js` in the package.
const CHILD = new URL(
  `./child${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

/** Time before the end of the grace at which a stopping process gives up its items, in ms. */
const FAREWELL_MS = 1_500;

/** Time that tasks have on exit: 5 s to tear down, 2 s for their exit handlers, and a margin. */
const END_MS = 8_000;

const LOOK_MS = 1_000;

/** Time limit for loading a tasks module. */
const LOAD_SECONDS = 60;

/** Time that a process without a running task may be blocked, such as by a teardown. */
const IDLE_SECONDS = 60;

/** Silence from which a process, which reports every second, counts as blocked. */
const SURELY_BLOCKED_MS = 5_000;

/** One worker process, from its start to its end. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #options: WorkerProcessOptions;
  readonly ended: Promise<void>;
  /** File descriptor of its journal. */
  readonly #journal = openUnnamedFile();
  /** Distinguishes Fanfold's messages from those that task code sends. */
  readonly #mark = randomUUID();
  #error: string | undefined;
  #overran = false;
  #isLeaving = false;
  #isTold = false;
  #started = false;
  #unloadable: string | undefined;
  #shortage: FanfoldError | undefined;
  /**
   * Checks in a row without a message. A clock would keep running while the machine or this process
   * is suspended and messages wait to be read.
   */
  #silentLooks = 0;
  #measured: ((measured: Measured | undefined) => void) | undefined;
  readonly #watch: ReturnType<typeof setInterval>;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    const { onLog } = options;
    try {
      this.#child = forkChild(onLog !== undefined, this.#journal);
    } catch (error) {
      closeSync(this.#journal);
      throw error;
    }
    if (options.background) {
      this.#child.unref();
      this.#child.channel?.unref();
      for (const pipe of this.#child.stdio ?? []) if (pipe instanceof Socket) pipe.unref();
    }
    const { pid } = this.#child;
    if (pid !== undefined) {
      // A blocked process would not notice that this one ends.
      endWithThisProcess(pid);
      this.#child.on('exit', () => hasEnded(pid));
    }
    this.#child.on('message', (sent) => {
      const message = readMarked<FromWorker>(this.#mark, sent);
      if (message) this.#hear(message);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#child.on('close', (code, signal) => {
      this.#die(code, signal);
      resolve();
    });
    // `close` follows a failed start too. A failed send to a dead process can be ignored.
    this.#child.on('error', (error) => {
      this.#error ??= error.message;
      if (pid === undefined) this.#shortage = shortageOf(error);
    });
    if (onLog) tellLines(this.#child, options.start.worker, onLog);
    options.code.then(
      (tasks) => {
        this.#isTold = true;
        this.#tell({ type: 'start', start: { ...options.start, tasks } });
      },
      // Without the module the process is of no use, and will be stopped.
      () => {},
    );
    this.#watch = setInterval(() => this.#look(), LOOK_MS);
    this.#watch.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Stops the process after its current item, which it gives up and sends back shortly before the
   * grace ends. A process that holds no message gets additional time for the tasks' exit handlers.
   */
  async stop(graceMs: number): Promise<void> {
    // Without the tasks module it has nothing to finish, and doesn't understand a message yet.
    if (!this.#isTold) this.#kill();
    this.#tell({ type: 'stop', interruptMs: Math.max(0, graceMs - FAREWELL_MS) });
    const timers = [
      setTimeout(() => (this.#started && this.#inHand().length === 0) || this.#kill(), graceMs),
      setTimeout(() => this.#kill(), graceMs + END_MS),
    ];
    await this.ended;
    for (const timer of timers) clearTimeout(timer);
  }

  /** Begins to measure its work. */
  measure(): void {
    this.#tell({ type: 'measure' });
  }

  /** Ends that. Undefined if the process has not started, or has died. */
  async measured(): Promise<Measured | undefined> {
    if (!this.#started) return undefined;
    const { promise, resolve } = Promise.withResolvers<Measured | undefined>();
    this.#measured = resolve;
    this.#tell({ type: 'measured' });
    return Promise.race([promise, this.ended.then(() => undefined)]);
  }

  #inHand(): InHand[] {
    return Object.values(readJournal(this.#journal).inHand);
  }

  #kill(): void {
    if (this.pid !== undefined) killGroup(this.pid);
  }

  #tell(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(marked(this.#mark, message), () => {});
  }

  #hear(message: FromWorker): void {
    this.#silentLooks = 0;
    switch (message.type) {
      case 'ready':
        this.#started = true;
        this.#options.onReady(message.tasks);
        break;
      case 'unloadable':
        this.#unloadable = message.reason;
        break;
      case 'trouble':
        this.#options.onTrouble(message.message, message.passing);
        break;
      case 'ran':
        this.#options.onRan(message.ran);
        break;
      case 'measured':
        this.#measured?.(message.measured);
        break;
      case 'leaving':
        this.#isLeaving = true;
    }
  }

  #look(): void {
    this.#silentLooks++;
    if (this.#started) this.#killBlocked();
    else this.#killUnloaded();
  }

  #killUnloaded(): void {
    if (this.#silentLooks * LOOK_MS < LOAD_SECONDS * 1000) return;
    this.#unloadable = `it has not loaded within ${LOAD_SECONDS} s. Move slow work to the \`setup\` of a task.`;
    this.#kill();
  }

  /** Kills a blocked process: a task that never yields can't be timed out from within. */
  #killBlocked(): void {
    const blockedMs = this.#silentLooks * LOOK_MS;
    if (blockedMs < SURELY_BLOCKED_MS) return;
    const { task, state } = this.#inHand().find(isCurrent) ?? {};
    const limit =
      task === undefined ? IDLE_SECONDS : this.#options.blockedSeconds(task, state === 'inSetup');
    if (blockedMs < limit * 1000) return;
    this.#error = `it was blocked for ${blockedMs / 1000} s`;
    this.#overran = true;
    this.#kill();
  }

  #die(code: number | null, signal: NodeJS.Signals | null): void {
    clearInterval(this.#watch);
    const { receives, progressed, unsent = [], stray } = readJournal(this.#journal);
    const inHand = this.#inHand();
    closeSync(this.#journal);
    const how = signal ?? `exit code ${code}`;
    const error = stray?.line ?? this.#error;
    this.#options.onDeath({
      inHand,
      unsent,
      progressed:
        progressed ||
        inHand.some(({ state, lastWords }) => state === 'settled' || lastWords?.settled.length),
      receives,
      cause: error === undefined ? how : `${how}: ${error}`,
      stray,
      overran: this.#overran,
      killed: signal !== null,
      started: this.#started,
      unloadable: this.#unloadable,
      shortage: this.#shortage,
      orderly: (code === 0 || this.#isLeaving) && inHand.length === 0,
    });
  }
}

function forkChild(logs: boolean, journal: number): ChildProcess {
  // Standard output is for results only. Task output is for humans, so it goes to standard error.
  const printed = logs ? 'pipe' : 2;
  return fork(fileURLToPath(CHILD), {
    stdio: ['ignore', printed, printed, 'ipc', journal, logs ? 'pipe' : 'ignore'],
    serialization: 'advanced',
    detached: HAS_GROUPS,
    execArgv: workerArgs(),
    // The compile cache halves a worker's start time.
    env: { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? cacheFolder() },
  });
}

function cacheFolder(): string {
  nodeModule.enableCompileCache();
  return nodeModule.getCompileCacheDir() ?? '';
}
