import type { LambdaContext } from '../../src/handlers.ts';
import { Actor, type ActorKind } from './actors.ts';

type Handle = (event: unknown, context: LambdaContext) => Promise<unknown>;

interface Environment {
  actor: Actor;
  /** Version of the function's code. */
  version: number;
  handle: Handle;
  /** Fails, or never ends, when the environment dies. */
  died: Promise<never>;
}

export interface EnvironmentsOptions {
  name: string;
  kind: ActorKind;
  /** Loads the handler's module for a new environment. */
  load(actor: Actor): Handle;
  /** Whether Lambda fails to notice the current death of the environment. */
  isSilent(): boolean;
  /** Whether the INIT of a new environment fails. @default never */
  initFails?(): boolean;
  /** The version of the code that is deployed. @default one for ever */
  version?(): number;
}

/**
 * The execution environments of one function: each is a process with the handler's module loaded
 * again. One that dies makes its invocation fail at once, as a crash does, or never respond, so that
 * Lambda's timeout ends it. Another one replaces it. A deployment replaces all of them.
 */
export class Environments {
  readonly #options: EnvironmentsOptions;
  readonly #byStream = new Map<string, Environment>();
  #count = 0;

  constructor(options: EnvironmentsOptions) {
    this.#options = options;
  }

  readonly handler = async (event: unknown, context: LambdaContext): Promise<unknown> => {
    const { actor, handle, died } = this.#environment(context.logStreamName ?? '');
    return Promise.race([died, actor.run(() => handle(event, context))]);
  };

  #environment(stream: string): Environment {
    const { version = () => 0, initFails = () => false } = this.#options;
    const known = this.#byStream.get(stream);
    if (known?.version === version()) return known;
    known?.actor.kill('by a deployment');
    if (initFails()) throw new Error('Runtime exited: INIT failed');
    return this.#open(stream, version());
  }

  #open(stream: string, version: number): Environment {
    const { name, kind, load, isSilent } = this.#options;
    const actor = new Actor(`${name}-${++this.#count}`, kind);
    const died = new Promise<never>((_, reject) => {
      actor.onDeath((cause) => {
        this.#byStream.delete(stream);
        if (!isSilent()) reject(new Error(`Runtime exited: ${cause}`));
      });
    });
    // A process may die when it serves no invocation.
    died.catch(() => {});
    const environment = { actor, version, handle: load(actor), died };
    this.#byStream.set(stream, environment);
    return environment;
  }
}
