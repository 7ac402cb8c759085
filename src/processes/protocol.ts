import type { Endpoint } from '../endpoint/connection.ts';
import type { TasksCode } from '../loading/tasks-module.ts';
import type { AsIf } from '../planning/as-if.ts';
import type { TaskFacts } from '../task.ts';
import type { Receives } from './in-flight-journal.ts';
import type { Measured } from './measuring.ts';

/** Settings that a worker process receives when it starts. */
export interface Start {
  tasks: TasksCode;
  /** The server or stack whose queues it uses. */
  place: Endpoint;
  taskQueueUrl: string;
  deadQueueUrl: string;
  /** The worker's name, which each of its results contains. */
  worker: string;
  /**
   * Prefix and first numbers of the ids of its attempts to receive from a server. A number counts
   * the answers with messages that were read, so a process asks again for an answer that the killed
   * process before it did not read.
   */
  attempts: { prefix: string; first: Receives };
  sliceSeconds: number;
  /** The deployment whose costs it meters. @default none */
  asIf?: AsIf | undefined;
  /** Whether its log and its output go to its supervisor through pipes. @default false */
  logs?: boolean;
  /**
   * Duration from which it reports each attempt, in milliseconds; it also reports their numbers.
   * @default it reports nothing
   */
  tellingMs?: number;
}

/** Work done since the last report. */
export interface Ran {
  /** Inputs that ended `ok`. */
  ok: number;
  /** Inputs that ended `failed`. */
  failed: number;
  /** Attempts, including those after which the input is tried again. */
  attempts: number;
  /** The first few slow attempts. */
  slow: { task: string; index: number; ok: boolean; ms: number }[];
}

/**
 * A message of Fanfold. Task code shares the channel and may call `process.send` itself, as
 * programs under some process managers do. So each process has its own mark, and messages without
 * it are ignored.
 */
interface Marked<Message> {
  fanfold: string;
  message: Message;
}

export function marked<Message>(fanfold: string, message: Message): Marked<Message> {
  return { fanfold, message };
}

/** Returns the message if it has the mark; undefined for anything else on the channel. */
export function readMarked<Message>(mark: string, sent: unknown): Message | undefined {
  const { fanfold, message } = Object(sent) as Partial<Marked<Message>>;
  return fanfold === mark ? message : undefined;
}

/** Reads the mark and the settings from a process's first message. */
export function readStart(sent: unknown): { mark: string; start: Start } | undefined {
  const { fanfold: mark, message } = Object(sent) as Partial<Marked<ToWorker>>;
  return mark !== undefined && message?.type === 'start'
    ? { mark, start: message.start }
    : undefined;
}

/** Messages from a worker process to its supervisor. */
export type FromWorker =
  | { type: 'ready'; tasks: TaskFacts[] }
  | { type: 'unloadable'; reason: string }
  /** Sent every second: the process is not blocked. */
  | { type: 'alive' }
  /** All work is done: from here on, the tasks' exit handlers decide how the process ends. */
  | { type: 'leaving' }
  /** A call or a chunk failed; `passing` if the same call may succeed later. */
  | { type: 'trouble'; message: string; passing: boolean }
  | { type: 'ran'; ran: Ran }
  /** The answer to `measured`. */
  | { type: 'measured'; measured: Measured };

/** Messages from a supervisor to a worker process. */
export type ToWorker =
  | { type: 'start'; start: Start }
  /** Begins to measure the process's work. */
  | { type: 'measure' }
  /** Ends that, and asks for what was measured. */
  | { type: 'measured' }
  /** Stops receiving, and gives up the items that still run after `interruptMs`. */
  | { type: 'stop'; interruptMs: number };
