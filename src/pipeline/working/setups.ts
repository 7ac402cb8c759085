import { isNonRetryable, messageOf, NonRetryableError, nameOf } from '../../errors.ts';
import type { AnyTask } from '../../task.ts';

/** Time limit of a task's `setup`, in seconds. A worker holds a chunk meanwhile. */
export const SETUP_SECONDS = 120;

/** Time limit of all `teardown`s together, in seconds: a process is about to end. */
const TEARDOWN_SECONDS = 5;

/** The setup of one task in this process. */
interface Setup {
  readonly ready: Promise<unknown>;
  readonly controller: AbortController;
}

/**
 * The resources that tasks have set up in this process: each at its first chunk, once. A failed
 * setup is forgotten, so that the next chunk tries again. Resources that arrive after the time
 * limit are torn down.
 */
export class Setups {
  readonly #setups = new Map<AnyTask, Setup>();
  readonly #underWay = new Set<AbortController>();
  readonly #onChange: (isUnderWay: boolean) => void;

  /** @param onChange called when a setup begins, and when it has ended */
  constructor(onChange: (isUnderWay: boolean) => void = () => {}) {
    this.#onChange = onChange;
  }

  /** The resources that the task's `setup` made. Rejects with a sentence on failure or timeout. */
  of(task: AnyTask): Promise<unknown> {
    const known = this.#setups.get(task);
    if (known) return known.ready;
    const controller = new AbortController();
    this.#onChange(true);
    this.#underWay.add(controller);
    const ready = setUp(task, controller).finally(() => {
      this.#underWay.delete(controller);
      this.#onChange(false);
    });
    this.#setups.set(task, { ready, controller });
    ready.catch(() => {
      if (this.#setups.get(task)?.ready === ready) this.#setups.delete(task);
    });
    return ready;
  }

  /**
   * Tears down all resources, within five seconds, and aborts setups that are under way.
   *
   * @param onError called with each failure, as a sentence
   */
  async close(onError: (message: string) => void = () => {}): Promise<void> {
    if (this.#setups.size === 0) return;
    const setups = [...this.#setups];
    this.#setups.clear();
    const ending = setups.map(async ([task, { ready, controller }]) => {
      if (this.#underWay.has(controller)) controller.abort(new Error('The process ends.'));
      const made = await ready.then(
        (resources) => ({ resources }),
        () => undefined,
      );
      if (made) await tearDown(task, made.resources, onError);
    });
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => {
      onError(`The teardown of tasks took longer than ${TEARDOWN_SECONDS} s.`);
      late.resolve();
    }, TEARDOWN_SECONDS * 1000);
    await Promise.race([Promise.all(ending), late.promise]);
    clearTimeout(timer);
  }
}

async function setUp(task: AnyTask, controller: AbortController): Promise<unknown> {
  const { signal } = controller;
  const aborted = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
  const timer = setTimeout(() => {
    controller.abort(new DOMException(`It took longer than ${SETUP_SECONDS} s.`, 'TimeoutError'));
  }, SETUP_SECONDS * 1000);
  // In an async function, since `setup` may throw synchronously.
  const making = (async () => task.setup?.({ signal }))();
  try {
    return await Promise.race([making, aborted.promise]);
  } catch (thrown) {
    // Resources that arrive after the abort have no user.
    if (signal.aborted) making.then((late) => tearDown(task, late), ignore);
    throw failure(task, thrown);
  } finally {
    clearTimeout(timer);
  }
}

function failure({ name: task }: AnyTask, cause: unknown): Error {
  const message = `The setup of the task "${task}" failed: ${messageOf(cause)}`;
  if (isNonRetryable(cause)) return new NonRetryableError(message, { cause });
  const error = new Error(message, { cause });
  error.name = nameOf(cause);
  return error;
}

async function tearDown(
  task: AnyTask,
  resources: unknown,
  onError: (message: string) => void = () => {},
): Promise<void> {
  try {
    await task.teardown?.(resources);
  } catch (error) {
    onError(`The teardown of the task "${task.name}" failed: ${messageOf(error)}`);
  }
}

function ignore(): void {}
