import { AsyncLocalStorage } from 'node:async_hooks';
import { FanfoldError } from './errors.ts';

const STORAGE = Symbol.for('fanfold.nested');

/** Which deployment the code that runs now works for, whichever copy of Fanfold in this process asks. */
function storage(): AsyncLocalStorage<unknown> {
  const shared = globalThis as { [STORAGE]?: AsyncLocalStorage<unknown> };
  shared[STORAGE] ??= new AsyncLocalStorage();
  return shared[STORAGE];
}

/** A place elsewhere, for comparisons and sentences. */
export function placeName(place: { stack: string } | { endpoint: string }): string {
  if ('stack' in place) return `stack ${place.stack}`;
  return place.endpoint.replace('//localhost:', '//127.0.0.1:');
}

/** Has tasks run as part of a deployment: a connection, or the name of a place elsewhere. */
export function workFor<T>(deployment: unknown, work: () => T): T {
  return storage().run(deployment, work);
}

/** Whether this is called in a task of that deployment. */
export function isTaskOf(deployment: unknown): boolean {
  return storage().getStore() === deployment;
}

/**
 * Refuses a run that a task starts where it runs itself. It would hold a worker while its run waits
 * for one, and when all workers do so, none is left. How many are free is known to nobody.
 *
 * @throws FanfoldError `NestedRun`
 */
export function refuseNested(place: string): void {
  if (!isTaskOf(place)) return;
  throw new FanfoldError(
    'NestedRun',
    `A task can't map where it runs itself (${place}): it would hold a worker while its run waits for one. Map in the task's own process, with \`await connect()\`, or return the inputs and map them when this run is over.`,
  );
}
