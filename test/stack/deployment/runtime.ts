// Lambda's Node runtime in a separate process: finds the function's handler, and runs it for each
// invocation that the parent process sends.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface Invocation {
  event: unknown;
  /** Lambda's context, without its functions. */
  context: { awsRequestId: string };
  /** Milliseconds since 1970. */
  deadline: number;
}

/** The first message: the handler's module is loaded, or has failed to. */
export type Initialized = 'initialized';

/** The handler's return value as JSON text, or its error in Lambda's form. */
export type Answer = Outcome & {
  /** Milliseconds that are billed: of the handler and, with the first invocation, of INIT. */
  ms: number;
};

type Outcome = { payload: string } | { errorType: string; errorMessage: string; stack: string };

type Handler = (event: unknown, context: object) => unknown;

class RuntimeError extends Error {
  constructor(name: string, message: string) {
    super(message);
    this.name = name;
  }
}

/** `index.handler` is the export `handler` of `index.mjs`. */
async function load(): Promise<Handler> {
  const { LAMBDA_TASK_ROOT = '', _HANDLER = '' } = process.env;
  const [file = '', name = ''] = _HANDLER.split('.');
  const path = ['.mjs', '.js', '.cjs']
    .map((extension) => join(LAMBDA_TASK_ROOT, `${file}${extension}`))
    .find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new RuntimeError('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`);
  }
  const handler = (await import(pathToFileURL(path).href))[name];
  if (typeof handler === 'function') return handler;
  throw new RuntimeError('Runtime.HandlerNotFound', `${_HANDLER} is undefined or not exported`);
}

const loaded = load();
const initialized: Initialized = 'initialized';
loaded.catch(() => {}).then(() => process.send?.(initialized));

async function run({ event, context, deadline }: Invocation): Promise<Outcome> {
  try {
    const handler = await loaded;
    const getRemainingTimeInMillis = () => deadline - Date.now();
    const returned = await handler(event, { ...context, getRemainingTimeInMillis });
    return { payload: JSON.stringify(returned) ?? 'null' };
  } catch (error) {
    if (!(error instanceof Error)) {
      return { errorType: typeof error, errorMessage: String(error), stack: '' };
    }
    return { errorType: error.name, errorMessage: error.message, stack: error.stack ?? '' };
  }
}

// The parent process is gone, also if it was killed.
process.on('disconnect', () => process.exit());

let begunAt = 0;

process.on('message', async (invocation: Invocation) => {
  // The first invocation is billed from the start of the process.
  if (begunAt > 0) begunAt = performance.now();
  const outcome = await run(invocation);
  const answer: Answer = { ...outcome, ms: Math.ceil(performance.now() - begunAt) };
  begunAt = performance.now();
  process.send?.(answer);
});
