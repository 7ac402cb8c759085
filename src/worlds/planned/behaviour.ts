import {
  drawn,
  ENVIRONMENT,
  ENVIRONMENTS_PER_SECOND,
  INVOKE,
  initOf,
  type Latency,
  SQS_CALL,
} from '../../planning/model.ts';
import type { Random } from './random.ts';

/** The place of a caller: a function in the region, or the collector outside of AWS. */
type Caller = 'function' | 'collector';

export interface BehaviourOptions {
  random: Random;
  /** Size of the workers' bundle, in bytes. */
  bundleBytes: number;
  /** Share of AWS's pace at which environments are made. @default 1 */
  share?: number;
}

/** AWS as its model describes it: how long calls take, and when environments are ready. */
export class Behaviour {
  readonly #random: Random;
  readonly #init: Latency;
  readonly #pauseMs: number;
  /** When the next environment of a function can be made, by the function's name. */
  readonly #nextAt = new Map<string, number>();

  constructor({ random, bundleBytes, share = 1 }: BehaviourOptions) {
    this.#random = random;
    this.#init = initOf(bundleBytes);
    this.#pauseMs = 1_000 / (ENVIRONMENTS_PER_SECOND * share);
  }

  /** Duration of a call of SQS. */
  callMs(caller: Caller): number {
    return this.#draw(caller === 'function' ? SQS_CALL.inside : SQS_CALL.outside);
  }

  /** Duration of an invocation's way there and back. */
  invokeMs(caller: Caller): number {
    return this.#draw(caller === 'function' ? INVOKE.inside : INVOKE.outside);
  }

  /** Resolves when a new environment of a function is ready, with the duration of its INIT. */
  async newEnvironment(name: string): Promise<number> {
    const now = performance.now();
    const at = Math.max(now, this.#nextAt.get(name) ?? 0);
    this.#nextAt.set(name, at + this.#pauseMs);
    const initMs = this.#draw(this.#init);
    const waitMs = at - now + this.#draw(ENVIRONMENT) + initMs;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    return initMs;
  }

  #draw(latency: Latency): number {
    return drawn(latency, this.#random.next);
  }
}
