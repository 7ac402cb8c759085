import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { enableCompileCache, getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';
import { serviceNow } from '../clock.ts';
import type { FanfoldError } from '../errors.ts';
import type { TasksCode } from '../loading/tasks-module.ts';
import { readChunk } from '../pipeline/messages/read-chunk.ts';
import type { LastWords } from '../pipeline/working/chunk-execution.ts';
import type { Unsent } from '../pipeline/working/report.ts';
import type { TaskFacts } from '../task.ts';
import { endWithThisProcess, HAS_GROUPS, hasEnded, killGroup } from './groups.ts';
import { HandFile, type Noted } from './hand-file.ts';
import { workerArgs } from './node-args.ts';
import { tellPrinted } from './printed.ts';
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

/** A message in a worker's hand. */
export interface InHand {
  receiptHandle: string;
  /** Of one that was begun, and is not settled; undefined where it was not, or that is not known. */
  body: string | undefined;
  /** Whether all that came of it is with SQS: it only has to be deleted. */
  settled: boolean;
  /** Whether its items have all been run, so that none of them is what the process died on. */
  ran: boolean;
  /** Whether the process was setting up its task. */
  inSetup: boolean;
  /** What the process could still say of it when it died. */
  lastWords: LastWords | undefined;
}

/** How a worker process ended, and what it left. */
export interface Death {
  inHand: InHand[];
  /** Results that it had and could not send. */
  unsent: Unsent[];
  /** Whether it had finished anything: a chunk, or an input of one. */
  progressed: boolean;
  /** How many receives had brought it messages. */
  taken: number;
  /** Such as `exit code 1: Error: boom`, or `SIGKILL`. */
  cause: string;
  /** The error that nobody caught, where there was one. */
  stray: Stray | undefined;
  /** Whether it was killed since it took longer than its task may, without giving the thread back. */
  overran: boolean;
  /** Whether a signal ended it. */
  killed: boolean;
  /** Whether it had started: what dies before cannot load its tasks. */
  started: boolean;
  /** Why its tasks module could not be loaded, where it said so. */
  unloadable: string | undefined;
  /** Why there was no process at all: the machine has no room for it. */
  shortage: FanfoldError | undefined;
  /** Whether it ended of itself, to be replaced by a fresh one. */
  orderly: boolean;
}

export interface WorkerProcessOptions {
  start: Omit<Start, 'tasks'>;
  /** The tasks module, which is being read while the process starts. */
  code: Promise<TasksCode>;
  /** Whether this process may end before it. */
  background: boolean;
  onReady: (tasks: TaskFacts[]) => void;
  onTrouble: (message: string, passing: boolean) => void;
  onRan: (ran: Ran) => void;
  onDeath: (death: Death) => void;
  /** Told whole lines that the process prints. @default this process's standard error has them */
  onPrint?: ((lines: string) => void) | undefined;
  /** How long it may be blocked over a message, or its task's setup, before it is killed, in seconds. */
  blockedSeconds: (task: string, inSetup: boolean) => number;
}

// This file's own ending: `.ts` in the repository, `.js` in the package.
const CHILD = new URL(
  `./child${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

/** How long before its end a process that is told to stop gives up on what runs, in milliseconds. */
const FAREWELL_MS = 1_500;

/** What tasks may take at the end of their process: five seconds to tear down, two for the rest. */
const END_MS = 8_000;

const LOOK_MS = 1_000;

/** How long a tasks module may take to load. */
const LOAD_SECONDS = 60;

/** How long a process may be blocked that has nothing to run, such as by a teardown. */
const IDLE_SECONDS = 60;

/** A process that tells every second that it is alive, and has not for so long, is blocked. */
const SURELY_BLOCKED_MS = 5_000;

/** One worker process, from its start to its end. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #options: WorkerProcessOptions;
  readonly ended: Promise<void>;
  readonly #hand = new HandFile();
  /** Makes our messages known from what code of tasks sends. */
  readonly #mark = randomUUID();
  #error: string | undefined;
  #overran = false;
  #isLeaving = false;
  #isTold = false;
  #started = false;
  #unloadable: string | undefined;
  #shortage: FanfoldError | undefined;
  /**
   * Looks in a row without a word since. The clock would go on while the machine, or this process,
   * is stopped, and its words wait to be read.
   */
  #silentLooks = 0;
  readonly #watch: ReturnType<typeof setInterval>;

  constructor(options: WorkerProcessOptions) {
    this.#options = options;
    const { onPrint } = options;
    try {
      this.#child = forkChild(onPrint ? 'pipe' : 2, this.#hand.file);
    } catch (error) {
      this.#hand.close();
      throw error;
    }
    if (options.background) {
      this.#child.unref();
      this.#child.channel?.unref();
    }
    const { pid } = this.#child;
    if (pid !== undefined) {
      // One that is blocked would not notice that this process ends.
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
    // A process that can't be started closes too, and a message to one that has ended is no matter.
    this.#child.on('error', (error) => {
      this.#error ??= error.message;
      if (pid === undefined) this.#shortage = shortageOf(error);
    });
    if (onPrint) tellPrinted(this.#child, onPrint);
    options.code.then(
      (tasks) => {
        this.#isTold = true;
        this.#tell({ type: 'start', start: { ...options.start, tasks } });
      },
      // It is of no use then, and will be stopped.
      () => {},
    );
    this.#watch = setInterval(() => this.#look(), LOOK_MS);
    this.#watch.unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Has the process end: after the item in its hand, which it gives up on and hands back when the
   * grace comes to an end. With nothing in its hand, it has its time for what tasks do at the end.
   */
  async stop(graceMs: number): Promise<void> {
    // Without the tasks module it has nothing to finish, and nothing to tell it.
    if (!this.#isTold) this.#kill();
    this.#tell({ type: 'stop', interruptMs: Math.max(0, graceMs - FAREWELL_MS) });
    const timers = [
      setTimeout(() => (this.#started && this.#hand.isEmpty) || this.#kill(), graceMs),
      setTimeout(() => this.#kill(), graceMs + END_MS),
    ];
    await this.ended;
    for (const timer of timers) clearTimeout(timer);
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
    this.#unloadable = `it has not loaded within ${LOAD_SECONDS} s. What takes longer is for a task's \`setup\`.`;
    this.#kill();
  }

  /** A task that never gives the thread back can't be timed out from within. */
  #killBlocked(): void {
    const blockedMs = this.#silentLooks * LOOK_MS;
    if (blockedMs < SURELY_BLOCKED_MS) return;
    const { begun, inSetup, messages } = this.#hand.read();
    const working = messages.find(({ place }) => place === begun);
    const task = working && taskOf(working, this.#options.start);
    const limit = task === undefined ? IDLE_SECONDS : this.#options.blockedSeconds(task, inSetup);
    if (blockedMs < limit * 1000) return;
    this.#error = `it was blocked for ${blockedMs / 1000} s`;
    this.#overran = true;
    this.#kill();
  }

  #die(code: number | null, signal: NodeJS.Signals | null): void {
    clearInterval(this.#watch);
    const { begun, taken, done, inSetup, messages, legacy } = this.#hand.read();
    this.#hand.close();
    const { unsent = [], chunks = [], settled = [] } = legacy ?? {};
    const inHand = messages.map(({ receiptHandle, place, body }): InHand => {
      const last = chunks.find((chunk) => chunk.receiptHandle === receiptHandle);
      return {
        receiptHandle,
        settled: settled.includes(receiptHandle),
        body: last?.body ?? (place <= begun ? body : undefined),
        // One at a time: those before are through.
        ran: place < begun,
        inSetup: inSetup && place === begun,
        lastWords: last?.lastWords,
      };
    });
    const how = signal ?? `exit code ${code}`;
    const error = legacy?.stray?.line ?? this.#error;
    this.#options.onDeath({
      inHand,
      unsent,
      progressed:
        done + settled.length > 0 || chunks.some(({ lastWords }) => lastWords.settled.length > 0),
      taken,
      cause: error === undefined ? how : `${how}: ${error}`,
      stray: legacy?.stray,
      overran: this.#overran,
      killed: signal !== null,
      started: this.#started,
      unloadable: this.#unloadable,
      shortage: this.#shortage,
      orderly: (code === 0 || this.#isLeaving) && inHand.length === 0,
    });
  }
}

function forkChild(printed: 'pipe' | 2, handFile: number): ChildProcess {
  return fork(fileURLToPath(CHILD), {
    // Standard output is for results alone: whatever a task prints is for humans.
    stdio: ['ignore', printed, printed, 'ipc', handFile],
    serialization: 'advanced',
    detached: HAS_GROUPS,
    execArgv: workerArgs(),
    // What was compiled once need not be again: it halves a worker's start.
    env: { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? cacheFolder() },
  });
}

/** The task that a message asks for; undefined for a message that no worker would run. */
function taskOf(
  { task, body }: Noted,
  { place, taskQueueUrl }: WorkerProcessOptions['start'],
): string | undefined {
  if (task !== undefined || body === undefined) return task;
  try {
    const reader = { taskQueueUrl, onServer: true, now: serviceNow(place) };
    return readChunk(body, reader).task;
  } catch {
    return undefined;
  }
}

function cacheFolder(): string {
  enableCompileCache();
  return getCompileCacheDir() ?? '';
}
