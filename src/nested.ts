import { AsyncLocalStorage } from 'node:async_hooks';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from './errors.ts';

const STORAGE = Symbol.for('fanfold.nested');

/** Variable with the places elsewhere that this process, or one that started it, works for. */
const PLACES = 'FANFOLD_WORKS_FOR';

/** The work that a task's code belongs to. */
interface Work {
  /** A connection in this process, or the identity of a place elsewhere. */
  deployment: unknown;
  /** Settles when its worker is free again. */
  ended: Promise<unknown>;
  /** The work whose code opened the connection, and may wait for this. */
  outer: Work | undefined;
}

/** The work of the running code, shared by all copies of Fanfold in this process. */
function storage(): AsyncLocalStorage<Work> {
  const shared = globalThis as { [STORAGE]?: AsyncLocalStorage<Work> };
  shared[STORAGE] ??= new AsyncLocalStorage();
  return shared[STORAGE];
}

/** Identifies a stack by its region, its account and its name, of which a queue URL has the last two. */
export async function stackIdentity(sqs: SQSClient, taskQueueUrl: string): Promise<string> {
  return `stack/${await sqs.config.region()}${new URL(taskQueueUrl).pathname}`;
}

/** Runs tasks as part of a deployment: a connection, or the identity of a place elsewhere. */
export async function workFor<T>(deployment: unknown, work: () => Promise<T>): Promise<T> {
  const ended = Promise.withResolvers<void>();
  try {
    const outer = storage().getStore();
    return await storage().run({ deployment, ended: ended.promise, outer }, work);
  } finally {
    ended.resolve();
  }
}

/** Makes all that this process runs, and starts, part of a place elsewhere. */
export function workAlwaysFor(identity: string): void {
  process.env[PLACES] = [...places(), identity].join(' ');
}

function places(): string[] {
  return process.env[PLACES]?.split(' ') ?? [];
}

/** The work on this deployment that the caller belongs to; undefined if it belongs to none. */
export function workOn(deployment: unknown): { ended: Promise<unknown> } | undefined {
  let work = storage().getStore();
  while (work !== undefined && work.deployment !== deployment) work = work.outer;
  return work;
}

/**
 * Refuses a run that a task starts where it runs itself. The task would hold a worker while its run
 * waits for one, and if all workers did so, none would be left. The number of free workers is not
 * known.
 *
 * @param name the place, in a sentence
 * @throws FanfoldError `NestedRun`
 */
export function refuseNested(identity: string, name: string): void {
  if (!workOn(identity) && !places().includes(identity)) return;
  throw new FanfoldError(
    'NestedRun',
    `A task cannot map on the deployment that runs it (${name}): it would occupy a worker while its own run waits for one. Map in the task's process, with \`await connect()\`, or return the inputs and map them when this run is over.`,
  );
}
