import { count } from './errors.ts';
import type { Deployment } from './pipeline/run/deployment.ts';
import { describeSeed } from './pipeline/seeding/invoke-seed.ts';

/**
 * The warning of a concurrency that the workers of a place do not reach; undefined if they do.
 *
 * @param asked the option and its value, as the user gave them
 * @param place the workers' place, with a preposition
 * @param capacity inputs of the task that all workers together run at once
 */
export function capacityWarning(
  asked: string,
  concurrency: number,
  { task, place, capacity }: { task: string; place: string; capacity: number | undefined },
): string | undefined {
  if (capacity === undefined || concurrency <= capacity) return undefined;
  if (capacity === 0) {
    return `${asked} is not reached: no worker is connected${place}. The run waits until one joins.`;
  }
  return `${asked} is not reached: all workers${place} together run ${count(capacity, 'input')} of ${task} at once.`;
}

/** The capacity of a deployment's workers, and the warning of runs that may run more at once. */
export class Capacity {
  readonly #deployment: Deployment;
  readonly #onWarning: (message: string) => void;
  /** Tasks whose capacity the user knows. */
  readonly #known = new Set<string>();

  constructor(deployment: Deployment, onWarning: (message: string) => void) {
    this.#deployment = deployment;
    this.#onWarning = onWarning;
  }

  /** Inputs of a task that all workers run at once; undefined if there is no such task. */
  askedFor(task: string): Promise<number | undefined> {
    this.#known.add(task);
    return this.#of(task);
  }

  /** Warns, once for each task, of a concurrency that is not reached. */
  async warnAbove(task: string, concurrency: number | undefined): Promise<void> {
    if (concurrency === undefined || this.#known.has(task)) return;
    const capacity = await this.#of(task).catch(() => undefined);
    const asked = `\`concurrency: ${concurrency}\``;
    const warning = capacityWarning(asked, concurrency, { task, place: '', capacity });
    if (warning === undefined || this.#known.has(task)) return;
    this.#known.add(task);
    this.#onWarning(warning);
  }

  async #of(task: string): Promise<number | undefined> {
    const { lambda, names } = this.#deployment;
    const { tasks, workers, live = workers } = await describeSeed(lambda, names);
    const each = tasks.find(({ name }) => name === task)?.concurrency;
    return each === undefined ? undefined : live * each;
  }
}
