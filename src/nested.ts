import { AsyncLocalStorage } from 'node:async_hooks';
import { FanfoldError } from './errors.ts';

const STORAGE = Symbol.for('fanfold.nested');

/** Names the places elsewhere that this process works for, or one that it was started by does. */
const PLACES = 'FANFOLD_WORKS_FOR';

/** What code of a task belongs to. */
interface Work {
  /** A connection in this process, or the identity of a place elsewhere. */
  deployment: unknown;
  /** Settles when its worker is free again. */
  ended: Promise<unknown>;
}

/** What the code that runs now works for, whichever copy of Fanfold in this process asks. */
function storage(): AsyncLocalStorage<Work> {
  const shared = globalThis as { [STORAGE]?: AsyncLocalStorage<Work> };
  shared[STORAGE] ??= new AsyncLocalStorage();
  return shared[STORAGE];
}

/** The identity of a stack. */
export function stackIdentity(name: string): string {
  return `stack/${name}`;
}

/** Has tasks run as part of a deployment: a connection, or the identity of a place elsewhere. */
export async function workFor<T>(deployment: unknown, work: () => Promise<T>): Promise<T> {
  const ended = Promise.withResolvers<void>();
  try {
    return await storage().run({ deployment, ended: ended.promise }, work);
  } finally {
    ended.resolve();
  }
}

/** Has all that this process runs, and what it starts, be part of a place elsewhere. */
export function workAlwaysFor(identity: string): void {
  process.env[PLACES] = [...places(), identity].join(' ');
}

function places(): string[] {
  return process.env[PLACES]?.split(' ') ?? [];
}

/** The work on that deployment that this is called in; undefined when it is called in none. */
export function workOn(deployment: unknown): { ended: Promise<unknown> } | undefined {
  const work = storage().getStore();
  return work?.deployment === deployment ? work : undefined;
}

/**
 * Refuses a run that a task starts where it runs itself. It would hold a worker while its run waits
 * for one, and when all workers do so, none is left. How many are free is known to nobody.
 *
 * @param name the place, in a sentence
 * @throws FanfoldError `NestedRun`
 */
export function refuseNested(identity: string, name: string): void {
  if (!workOn(identity) && !places().includes(identity)) return;
  throw new FanfoldError(
    'NestedRun',
    `A task can't map where it runs itself (${name}): it would hold a worker while its run waits for one. Map in the task's own process, with \`await connect()\`, or return the inputs and map them when this run is over.`,
  );
}
