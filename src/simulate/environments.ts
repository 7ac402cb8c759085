import type { LambdaContext } from '../handlers.ts';
import { Actor, type ActorKind } from './actors.ts';

type Handle = (event: unknown, context: LambdaContext) => Promise<unknown>;

interface Environment {
  actor: Actor;
  handle: Handle;
  /** Fails, or never ends, when the environment dies. */
  died: Promise<never>;
}

/**
 * The execution environments of one function: each is a process with the handler's module loaded
 * anew. One that dies makes its invocation fail at once, as a crash does, or never answer, so that
 * Lambda's timeout ends it. Another comes in its place.
 */
export class Environments {
  readonly #name: string;
  readonly #kind: ActorKind;
  readonly #load: (actor: Actor) => Handle;
  readonly #isSilent: () => boolean;
  readonly #byStream = new Map<string, Environment>();
  #count = 0;

  /**
   * @param load loads the handler's module for a new environment
   * @param isSilent whether the environment that dies just now does so without Lambda's noticing
   */
  constructor(
    name: string,
    kind: ActorKind,
    load: (actor: Actor) => Handle,
    isSilent: () => boolean,
  ) {
    this.#name = name;
    this.#kind = kind;
    this.#load = load;
    this.#isSilent = isSilent;
  }

  readonly handler = (event: unknown, context: LambdaContext): Promise<unknown> => {
    const stream = context.logStreamName ?? '';
    const environment = this.#byStream.get(stream) ?? this.#open(stream);
    const { actor, handle, died } = environment;
    return Promise.race([died, actor.run(() => handle(event, context))]);
  };

  #open(stream: string): Environment {
    const actor = new Actor(`${this.#name}-${++this.#count}`, this.#kind);
    const died = new Promise<never>((_, reject) => {
      actor.onDeath((cause) => {
        this.#byStream.delete(stream);
        if (!this.#isSilent()) reject(new Error(`Runtime exited: ${cause}`));
      });
    });
    // A process may die when it serves no invocation.
    died.catch(() => {});
    const environment = { actor, handle: this.#load(actor), died };
    this.#byStream.set(stream, environment);
    return environment;
  }
}
