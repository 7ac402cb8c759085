/** Key of what the SDK knows of a call. */
const SMITHY = '__smithy_context';

type Handler = (args: object) => Promise<{ output: unknown }>;
export type Middleware = (next: Handler, context: Context) => Handler;

interface Context {
  [SMITHY]?: object;
}

interface Place {
  name?: string;
  middleware?: Middleware;
}

/** The parts of the SDK's stack of middleware that are used here. */
interface Stack {
  add(middleware: Middleware, place: Place): void;
  addRelativeTo(middleware: Middleware, place: Place): void;
  remove(middleware: Middleware): boolean;
  concat(stack: Stack): Stack;
  applyToStack(stack: Pick<Stack, 'add' | 'addRelativeTo'>): void;
  resolve(handler: Handler, context: Context): Handler;
}

export interface Command {
  input: object;
  resolveMiddleware(stack: Pick<Stack, 'concat'>, config: object, options: undefined): unknown;
}

export interface SendOptions {
  abortSignal?: AbortSignal;
}

/** The part of an SDK client that is used here. */
interface Client {
  config: { requestHandler: { handle(request: object, options: SendOptions): Promise<never> } };
  middlewareStack: Stack;
}

/** Middleware that writes headers, or logs, that no simulated service reads. */
const WITHOUT_EFFECT = new Set([
  'loggerMiddleware',
  'getUserAgentMiddleware',
  'recursionDetectionMiddleware',
  'httpSigningMiddleware',
  'addExpectContinueMiddleware',
]);

/** A kind of command, as the SDK composes it: its middleware, the outermost first, and context. */
interface Composed {
  middleware: { name: string; itself: Middleware }[];
  context: Context;
}

/**
 * Sends an SDK client's commands. The SDK composes some twenty functions anew for each call that has
 * an `AbortSignal`, which takes longer than what they do; this composes them once for each kind of
 * command, and leaves those out that have no effect here. The functions are the SDK's own.
 */
export class Sender {
  readonly #client: Client;
  readonly #kinds = new Map<unknown, Composed>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** @param own middleware of one client among those that share the sender, by name */
  async send(
    command: Command,
    options: SendOptions = {},
    own?: ReadonlyMap<string, Middleware>,
  ): Promise<unknown> {
    const { middleware, context } = this.#composed(command);
    const { requestHandler } = this.#client.config;
    const { abortSignal } = options;
    const ownContext = {
      ...context,
      [SMITHY]: {
        ...context[SMITHY],
        commandInstance: command,
        ...(abortSignal && { abortSignal }),
      },
    };
    let handler: Handler = (args) =>
      requestHandler.handle((args as { request: object }).request, options);
    for (let at = middleware.length - 1; at >= 0; at--) {
      const { name, itself } = middleware[at] as Composed['middleware'][number];
      handler = (own?.get(name) ?? itself)(handler, ownContext);
    }
    const { output } = await handler(command);
    return output;
  }

  #composed(command: Command): Composed {
    const known = this.#kinds.get(command.constructor);
    if (known) return known;
    const composed: Composed = { middleware: [], context: {} };
    const { middlewareStack, config } = this.#client;
    const concat = (stack: Stack) => {
      const whole = middlewareStack.concat(stack);
      const resolve = (handler: Handler, context: Context) => {
        composed.context = context;
        return handler;
      };
      composed.middleware = inOrder(whole).filter(({ name }) => !WITHOUT_EFFECT.has(name));
      return { ...whole, resolve };
    };
    command.resolveMiddleware({ concat }, config, undefined);
    this.#kinds.set(command.constructor, composed);
    return composed;
  }
}

/** The middleware of a stack, the outermost first: only resolving a stack sorts it. */
function inOrder(stack: Stack): Composed['middleware'] {
  const found: Composed['middleware'] = [];
  const recorded: (() => void)[] = [];
  const record = (how: 'add' | 'addRelativeTo') => (itself: Middleware, place: Place) => {
    const recording: Middleware = (next) => {
      found.unshift({ name: place.name ?? '', itself });
      return next;
    };
    recorded.push(() => {
      stack.remove(itself);
      // The place of an entry names its middleware, too, which counts.
      stack[how](recording, { ...place, middleware: recording });
    });
  };
  stack.applyToStack({ add: record('add'), addRelativeTo: record('addRelativeTo') });
  for (const replace of recorded) replace();
  stack.resolve(async () => ({ output: undefined }), {});
  return found;
}
