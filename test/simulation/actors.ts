import { AsyncLocalStorage } from 'node:async_hooks';

export type ActorKind = 'infrastructure' | 'seed' | 'worker' | 'collector' | 'canceller';

/**
 * A process of the simulated world: one execution environment of a function, one pulling worker,
 * one collector. What it does, however much later, is done in its name. It lives until it is
 * killed; from then on its calls are never answered and its timers never fire, so that nothing it
 * would have done happens.
 */
export class Actor {
  readonly name: string;
  readonly kind: ActorKind;
  /** Factor by which its tasks take longer. */
  slowness = 1;
  /** Error of its machine's clock, in milliseconds. */
  clockOffMs = 0;
  /** In milliseconds since 1970; undefined as long as it lives. */
  diedAt: number | undefined;
  /** Whether it was told to stop what it does. */
  stopped = false;
  readonly #onDeath: ((cause: string) => void)[] = [];

  constructor(name: string, kind: ActorKind) {
    this.name = name;
    this.kind = kind;
  }

  get dead(): boolean {
    return this.diedAt !== undefined;
  }

  /** Runs something in its name. */
  run<T>(what: () => T): T {
    return acting.run(this, what);
  }

  onDeath(told: (cause: string) => void): void {
    this.#onDeath.push(told);
  }

  kill(cause: string): void {
    if (this.dead) return;
    this.diedAt = trueNow();
    for (const told of this.#onDeath) FATE.run(() => told(cause));
  }
}

const acting = new AsyncLocalStorage<Actor>();

/** The actor that stands for AWS. It never dies, and must be at rest once it is closed. */
export const AWS = new Actor('aws', 'infrastructure');

/** The actor of faults and replacements, which befall the others. It ends with the simulation. */
export const FATE = new Actor('fate', 'infrastructure');

/** The actor in whose name this runs. */
export function currentActor(): Actor {
  return acting.getStore() ?? AWS;
}

/** Virtual time as it is, whatever the current actor's clock says. */
export function trueNow(): number {
  return Date.now() - currentActor().clockOffMs;
}

/** A promise that never settles: a dead process waits for it. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
