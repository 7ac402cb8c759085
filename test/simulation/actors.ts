import { AsyncLocalStorage } from 'node:async_hooks';

export type ActorKind =
  | 'infrastructure'
  | 'seed'
  | 'worker'
  | 'collector'
  | 'canceller'
  | 'operator'
  | 'caller';

/**
 * A process of the simulated world: one execution environment of a function, one pulling worker,
 * one collector. Everything that it causes, however much later, runs as this actor. It lives until it is
 * killed; from then on its calls get no response and its timers never fire, so that it has no
 * further effect.
 */
export class Actor {
  readonly name: string;
  readonly kind: ActorKind;
  /** Factor by which its tasks take longer. */
  slowness = 1;
  /** Error of its machine's clock, in milliseconds. */
  clockOffMs = 0;
  /** Time of death in milliseconds since 1970; undefined while it lives. */
  diedAt: number | undefined;
  /** Time at which it was asked to stop and abandoned its work, in milliseconds since 1970. */
  stoppedAt: number | undefined;
  readonly #onDeath: ((cause: string) => void)[] = [];

  constructor(name: string, kind: ActorKind) {
    this.name = name;
    this.kind = kind;
  }

  get dead(): boolean {
    return this.diedAt !== undefined;
  }

  get stopped(): boolean {
    return this.stoppedAt !== undefined;
  }

  /** Runs a function as this actor. */
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

/** The actor that represents AWS. It never dies, and must be idle once it is closed. */
export const AWS = new Actor('aws', 'infrastructure');

/** The actor that causes faults and replacements. It ends with the simulation. */
export const FATE = new Actor('fate', 'infrastructure');

/** The current actor. */
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
