import type { Endpoint } from '../endpoint/connection.ts';
import type { TasksCode } from '../loading/tasks-module.ts';
import type { LastWords } from '../pipeline/working/chunk-execution.ts';
import type { Unsent } from '../pipeline/working/report.ts';
import type { TaskFacts } from '../task.ts';
import type { Stray } from './stray.ts';

/** What a worker process is told when it starts. */
export interface Start {
  tasks: TasksCode;
  /** Where the SQS is. */
  place: Endpoint;
  taskQueueUrl: string;
  deadQueueUrl: string;
  /** The worker's name, which stands in each of its results. */
  worker: string;
  /** The process's own name, by which an SQS knows it that heeds it. */
  appId?: string;
  sliceSeconds: number;
  /** Whether it prints into pipes to its supervisor. @default false */
  prints?: boolean;
  /** Whether it tells what it runs. @default false */
  telling?: boolean;
}

/** Inputs that were run since the last time that it was told. */
export interface Ran {
  ok: number;
  /** Attempts that failed. */
  failed: number;
  /** Those that took long, of which each may be told: the first few. */
  slow: { task: string; index: number; ok: boolean; ms: number }[];
}

/** A chunk that was begun and is not settled when its process ends. */
export interface LastChunk {
  receiptHandle: string;
  body: string;
  lastWords: LastWords;
}

/** What a process leaves, which its supervisor reads when it has died. */
export interface Legacy {
  /** The error that it died of, where there was one. */
  stray: Stray | undefined;
  /** Its chunks that were begun and are not settled. */
  chunks: LastChunk[];
  /** Receipt handles of messages that only have to be deleted: what came of them is with SQS. */
  settled: string[];
  /** Results that it had and could not send any more. */
  unsent: Unsent[];
}

/**
 * A message of ours. Code of tasks shares the channel: it may send what it likes by `process.send`,
 * as programs do that some process managers start. Only a message with the mark, which is another
 * for each process, is heard.
 */
interface Marked<Message> {
  fanfold: string;
  message: Message;
}

export function marked<Message>(fanfold: string, message: Message): Marked<Message> {
  return { fanfold, message };
}

/** The message of a mark; undefined for whatever else comes by the channel. */
export function readMarked<Message>(mark: string, sent: unknown): Message | undefined {
  const { fanfold, message } = Object(sent) as Partial<Marked<Message>>;
  return fanfold === mark ? message : undefined;
}

/** The mark and the order that a process's first message brings. */
export function readStart(sent: unknown): { mark: string; start: Start } | undefined {
  const { fanfold: mark, message } = Object(sent) as Partial<Marked<ToWorker>>;
  return mark !== undefined && message?.type === 'start'
    ? { mark, start: message.start }
    : undefined;
}

/** What a worker process tells its supervisor. */
export type FromWorker =
  | { type: 'ready'; tasks: TaskFacts[] }
  | { type: 'unloadable'; reason: string }
  /** Every second: the process is not blocked. */
  | { type: 'alive' }
  /** All is done: how the process ends from here on is its tasks' listeners' business. */
  | { type: 'leaving' }
  /** A call failed, or a chunk; `passing` when the same call may succeed later. */
  | { type: 'trouble'; message: string; passing: boolean }
  | { type: 'ran'; ran: Ran };

/** What a supervisor tells a worker process once it is started. */
export type ToWorker =
  | { type: 'start'; start: Start }
  /** Takes nothing more, and gives up on the items that still run after so many milliseconds. */
  | { type: 'stop'; interruptMs: number };
