import type { LastWords } from '../../pipeline/working/recover.ts';
import type { TaskOptions } from '../../task.ts';

/** What a worker process is told when it starts. */
export interface Start {
  /** URL of the tasks module. */
  tasks: string;
  /** Where the SQS is, such as `http://127.0.0.1:40123`. */
  endpoint: string;
  region: string;
  /** The deployment's name. */
  name: string;
  /** The worker's name, which stands in each of its results. */
  worker: string;
  /** The process's own name, by which the SQS knows it. */
  appId: string;
  sliceSeconds: number;
}

/** What a supervisor knows of a task without having its code. */
export type TaskFacts = Required<TaskOptions>;

/** A message that is worked on. */
export interface Begun {
  receiptHandle: string;
  task: string;
  /**
   * What is needed to say what became of it when the process can't. Left out of one that is large
   * and has several items: what is sent here is read by the process that has the most to do, and
   * such a chunk is as well given back to the queue, where it is cut.
   */
  body: string | undefined;
}

/** A chunk that was begun and is not settled when its process ends. */
export interface LastChunk {
  receiptHandle: string;
  body: string;
  lastWords: LastWords;
}

/** What a worker process tells its supervisor. */
export type FromWorker =
  | { type: 'ready'; tasks: TaskFacts[] }
  | { type: 'unloadable'; reason: string }
  /** By receipt handle: messages that are in its hand from now on, ... */
  | { type: 'taken'; messages: string[] }
  /** ... the one of them that it works on, told and heard before it begins, ... */
  | { type: 'begin'; begun: Begun }
  /** ... and those that are in its hand no more. */
  | { type: 'done'; messages: string[] }
  /** Every second: the process is not blocked. */
  | { type: 'alive' }
  | { type: 'trouble'; message: string }
  /** Its chunks that were begun and are not settled. */
  | { type: 'lastWords'; chunks: LastChunk[]; cause: string | undefined };

/** What a supervisor tells a worker process once it is started. */
export type ToWorker = { type: 'start'; start: Start } | { type: 'stop' };
