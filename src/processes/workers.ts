import { randomUUID } from 'node:crypto';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { attemptsOf } from '../endpoint/receive-attempts.ts';
import { FanfoldError } from '../errors.ts';
import type { TasksModule } from '../loading/tasks-module.ts';
import type { LogLine } from '../pipeline/working/log-line.ts';
import { SETUP_SECONDS } from '../pipeline/working/setups.ts';
import { growth } from '../retry.ts';
import type { TaskFacts } from '../task.ts';
import type { Receives } from './in-flight-journal.ts';
import type { Measured } from './measuring.ts';
import type { Ran, Start } from './protocol.ts';
import { Reaper } from './reaper.ts';
import { Recovery, type Trouble } from './recovery.ts';
import { shortageOf } from './shortage.ts';
import { type Death, WorkerProcess } from './worker-process.ts';

export interface WorkersOptions extends Omit<Start, 'tasks' | 'worker' | 'attempts'> {
  tasks: TasksModule;
  /** Number of processes. */
  count: number;
  sqs: SQSClient;
  /** Whether this process may exit while the workers are idle. @default false */
  background?: boolean;
  /** Prefix of the workers' names. @default 'worker' */
  prefix?: string;
  /** Time that a stopping worker has for its current item, in milliseconds. @default 500 */
  graceMs?: number;
  /** Called when the workers can't continue: no more replacements are started. */
  onFailure: (error: FanfoldError) => void;
  /** Called for trouble that was recovered from: a process that died, a call that failed. */
  onTrouble: (trouble: Trouble) => void;
  /** Called when a process has died that was not told to end. */
  onDeath?: (worker: string) => void;
  /** Called with the attempts that a worker ran, if `tellingMs` is set. */
  onRan?: (worker: string, ran: Ran) => void;
  /** Receives the lines that tasks log and print. @default they go to standard error */
  onLog?: ((line: LogLine) => void) | undefined;
}

const GRACE_MS = 500;

/** Consecutive processes that may exit before they have started, after one has started. */
const FAILED_STARTS = 3;

/** Consecutive processes that may be killed before they have started: not their tasks' fault. */
const KILLED_STARTS = 20;

/** Pause before the replacement of a process that was killed that way, in milliseconds. */
const PAUSE_MS = 200;

/** Consecutive processes of a worker that may die without progress before the worker pauses. */
const IDLE_DEATHS = 3;

/** Longest such pause if no input is to blame, since nothing would end the deaths; in ms. */
const IDLE_PAUSE_MS = 30_000;

/** Longest pause if each death was an attempt at an input, since attempts are limited; in ms. */
const BLAMED_PAUSE_MS = 1_000;

/** Time beyond timeoutSeconds, or the setup's limit, before a blocked process is killed. */
const BLOCKED_MARGIN_SECONDS = 5;

/**
 * Supervised worker processes. The supervisor replaces a process that dies and sends its unfinished
 * chunks back, so that other workers run them at once.
 */
export class Workers {
  /** Resolves with the module's tasks once a process has loaded it; rejects if none can. */
  readonly ready: Promise<TaskFacts[]>;
  readonly #options: WorkersOptions;
  readonly #id = randomUUID();
  readonly #ready = Promise.withResolvers<TaskFacts[]>();
  readonly #processes = new Set<WorkerProcess>();
  readonly #recovery: Recovery;
  readonly #tasks = new Map<string, TaskFacts>();
  readonly #reaper = new Reaper();
  /** Numbers of receives that returned messages, by worker. */
  readonly #receives = new Map<string, Receives>();
  /** Number of consecutive processes that died without progress, by worker. */
  readonly #idleDeaths = new Map<string, number>();
  readonly #pauses = new Set<ReturnType<typeof setTimeout>>();
  #failedStarts = 0;
  #killedStarts = 0;
  #closed = false;
  #measures = false;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.ready = this.#ready.promise;
    this.ready.catch(() => {});
    const { count, prefix = 'worker' } = options;
    this.#recovery = new Recovery({ ...options, retryOf: (task) => this.#tasks.get(task) });
    options.tasks.code.catch((error: FanfoldError) => this.#giveUp(error));
    for (let number = 1; number <= count; number++) this.#start(`${prefix}-${number}`);
  }

  get size(): number {
    return this.#processes.size;
  }

  /** Begins to measure the work of all processes; returns what ends that. */
  measure(): () => Promise<Measured[]> {
    this.#measures = true;
    for (const process of this.#processes) process.measure();
    return async () => {
      this.#measures = false;
      const all = await Promise.all(Array.from(this.#processes, (one) => one.measured()));
      return all.filter((measured) => measured !== undefined);
    };
  }

  async close(): Promise<void> {
    this.#stopStarting();
    const { graceMs = GRACE_MS } = this.#options;
    await Promise.all(Array.from(this.#processes, (process) => process.stop(graceMs)));
    await this.#recovery.ended();
    this.#reaper.close();
  }

  #start(worker: string): void {
    try {
      this.#open(worker);
    } catch (thrown) {
      const error = thrown instanceof FanfoldError ? thrown : shortageOf(thrown);
      if (error === undefined) throw thrown;
      this.#giveUp(error);
    }
  }

  #stopStarting(): void {
    this.#closed = true;
    for (const pause of this.#pauses) clearTimeout(pause);
  }

  #giveUp(error: FanfoldError): void {
    this.#stopStarting();
    this.#ready.reject(error);
    this.#options.onFailure(error);
  }

  #open(worker: string): void {
    const { tasks, place, taskQueueUrl, deadQueueUrl, sliceSeconds, tellingMs } = this.#options;
    const { asIf } = this.#options;
    const { onTrouble, onRan, onLog } = this.#options;
    const attempts = {
      prefix: attemptsOf(this.#id, worker),
      first: this.#receives.get(worker) ?? [0, 0],
    } as const;
    const process = new WorkerProcess({
      start: {
        ...{ place, taskQueueUrl, deadQueueUrl, worker, attempts, sliceSeconds, asIf },
        ...(tellingMs === undefined ? {} : { tellingMs }),
        ...(onLog ? { logs: true } : {}),
      },
      code: tasks.code,
      background: this.#options.background ?? false,
      onReady: (facts) => {
        if (this.#measures) process.measure();
        this.#failedStarts = 0;
        this.#killedStarts = 0;
        for (const task of facts) this.#tasks.set(task.name, task);
        this.#ready.resolve(facts);
      },
      onTrouble: (message, passing) => onTrouble({ message: `${worker}: ${message}`, passing }),
      onRan: (ran) => onRan?.(worker, ran),
      onLog,
      onDeath: (death) => {
        this.#processes.delete(process);
        if (process.pid !== undefined) this.#reaper.forget(process.pid);
        const [tasks, lanes] = attempts.first;
        this.#receives.set(worker, [tasks + death.receives[0], lanes + death.receives[1]]);
        this.#replace(worker, death);
      },
      blockedSeconds: (task, inSetup) =>
        (inSetup ? SETUP_SECONDS : (this.#tasks.get(task)?.timeoutSeconds ?? 0)) +
        BLOCKED_MARGIN_SECONDS,
    });
    this.#processes.add(process);
    if (process.pid !== undefined) this.#reaper.watch(process.pid);
  }

  #replace(worker: string, death: Death): void {
    const { onTrouble } = this.#options;
    if (this.#closed) {
      this.#recovery.begin(worker, death, { stopped: true });
      // Nothing else reports the errors that its tasks left uncaught.
      if (death.stray && !death.orderly) {
        onTrouble({ message: `${worker} died (${death.cause})`, passing: false });
      }
      return;
    }
    if (!death.started && this.#isHopeless(death)) {
      this.#fail(death);
      return;
    }
    this.#recovery.begin(worker, death);
    const pauseMs = this.#pauseMs(worker, death);
    if (death.started && !death.orderly) {
      this.#options.onDeath?.(worker);
      const why =
        pauseMs === 0
          ? ''
          : `, after a pause of ${pauseMs / 1000} s: its last ${this.#idleDeaths.get(worker)} processes died before they finished an input`;
      onTrouble({
        message: `${worker} died (${death.cause}) and is replaced${why}`,
        passing: false,
      });
    }
    if (pauseMs === 0) this.#start(worker);
    else {
      const pause = setTimeout(() => {
        this.#pauses.delete(pause);
        this.#start(worker);
      }, pauseMs);
      if (this.#options.background) pause.unref();
      this.#pauses.add(pause);
    }
  }

  /** Pause before a replacement starts: it grows with the number of consecutive deaths. */
  #pauseMs(
    worker: string,
    { started, killed, shortage, orderly, progressed, inHand }: Death,
  ): number {
    if (!started) return killed || shortage ? PAUSE_MS : 0;
    const deaths = orderly || progressed ? 0 : (this.#idleDeaths.get(worker) ?? 0) + 1;
    this.#idleDeaths.set(worker, deaths);
    if (deaths <= IDLE_DEATHS) return 0;
    const isBlamed = inHand.some(
      ({ state, lastWords }) =>
        state !== 'settled' && (lastWords === undefined || lastWords.suspects.length > 0),
    );
    const longest = isBlamed ? BLAMED_PAUSE_MS : IDLE_PAUSE_MS;
    return growth(deaths - IDLE_DEATHS - 1, PAUSE_MS, longest);
  }

  #isHopeless(death: Death): boolean {
    if (death.shortage && this.#tasks.size === 0) return true;
    if (isKilledByOthers(death)) return ++this.#killedStarts >= KILLED_STARTS;
    return this.#tasks.size === 0 || ++this.#failedStarts >= FAILED_STARTS;
  }

  #fail(death: Death): void {
    const { unloadable, cause } = death;
    const why = unloadable ?? `the process that loads it ended with ${cause}`;
    const error =
      death.shortage ??
      (isKilledByOthers(death)
        ? new FanfoldError('RunFailed', `Worker processes are killed (${cause}) before they start.`)
        : new FanfoldError(
            'BadTask',
            `The tasks module ${displayed(this.#options.tasks.url)} cannot be used: ${why}`,
          ));
    this.#giveUp(error);
  }
}

/** Whether a cause outside the tasks module ended the process: a signal, or a lack of room. */
function isKilledByOthers({ killed, unloadable, shortage }: Death): boolean {
  return shortage !== undefined || (killed && unloadable === undefined);
}

function displayed(url: string): string {
  return url.startsWith('file:') ? decodeURIComponent(new URL(url).pathname) : url;
}
