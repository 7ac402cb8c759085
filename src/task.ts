import type { StandardSchemaV1 } from '@standard-schema/spec';
import { FanfoldError, valueText } from './errors.ts';
import type { JsonImage, JsonInput, JsonOutput, NoSchema } from './json-types.ts';
import { type CallOptions, CHECKED, checkOptions, FLAG } from './options.ts';
import type { SetupContext, TaskContext, TaskFacts, TaskOptions } from './task-options.ts';

export type { Json, JsonImage } from './json-types.ts';
export type { SetupContext, TaskContext, TaskFacts, TaskLog, TaskOptions } from './task-options.ts';

/**
 * Steps that a process takes once for a task, not for each input. Define `setup` before `run`:
 * TypeScript infers in that order.
 */
interface Lifecycle<Resources> {
  /**
   * Makes the resources that all inputs share, such as a database pool, a browser or a model: once
   * per process, before the task's first input there. The value that it returns, or resolves to, is
   * `run`'s third argument. It has 120 s. A failure counts as an attempt for the inputs that wait
   * for it.
   * @default no resources: `run`'s third argument is undefined
   */
  setup?: ((context: SetupContext) => Resources | Promise<Resources>) | undefined;
  /**
   * Releases the resources when the process ends in order, within five seconds.
   * @default nothing is released
   */
  teardown?: ((resources: Resources) => unknown) | undefined;
}

interface WithSchema<S extends StandardSchemaV1, Output, Resources>
  extends TaskOptions,
    Lifecycle<Resources> {
  /**
   * Any Standard Schema (zod, valibot, arktype ...); checked where the task runs. An input that it
   * refuses ends `failed` as `InvalidInput`, without another attempt.
   */
  input: S;
  run(
    input: StandardSchemaV1.InferOutput<S>,
    context: TaskContext,
    resources: Resources,
  ): Output | Promise<Output>;
}

interface WithoutSchema<Input, Output, Resources> extends TaskOptions, Lifecycle<Resources> {
  input?: NoSchema | undefined;
  run(input: Input, context: TaskContext, resources: Resources): Output | Promise<Output>;
}

const MARK = Symbol.for('fanfold.task');

/** A task: the user's named function, with its schema and options. Made by `defineTask` only. */
export interface Task<Input = never, Output = unknown> extends TaskFacts {
  /** The schema, if the task has one. */
  readonly input: StandardSchemaV1 | undefined;
  /** Whether its workers slow down when it is put off. */
  readonly adaptive: boolean;
  /** Decides whether, and when, a failed attempt is repeated. */
  readonly retry: TaskOptions['retry'];
  /** Makes the task's shared resources. */
  readonly setup: ((context: SetupContext) => unknown) | undefined;
  /** Releases the task's shared resources. */
  readonly teardown: ((resources: unknown) => unknown) | undefined;
  // A method, so that tasks of any input type are assignable to `Task`.
  /** The user's function: runs the task for one input. */
  run(input: Input, context: TaskContext, resources?: unknown): Output | Promise<Output>;
  /** Carries the types of `map`'s inputs and outputs; it never has a value. */
  readonly '~types'?: { input: Input; output: Output };
}

/** Any task, whatever its inputs and outputs. */
// biome-ignore lint/suspicious/noExplicitAny: only `any` is both a subtype and a supertype of every input.
export type AnyTask = Task<any, unknown>;

/** The type of the inputs that `map` takes for a task. */
export type InputOf<T> = T extends { '~types'?: { input: infer I } } ? I : never;
/** The output in a task's `ok` result: the JSON image of its function's return value. */
export type OutputOf<T> = T extends { '~types'?: { output: infer O } } ? JsonImage<O> : never;

const NAME = /^[A-Za-z0-9_-]{1,80}$/;

/** Each option is checked more closely below. */
const DEFINITION: CallOptions = {
  call: 'defineTask()',
  code: 'BadTask',
  kinds: {
    ...{
      name: CHECKED,
      input: CHECKED,
      run: CHECKED,
      setup: CHECKED,
      teardown: CHECKED,
      retry: CHECKED,
    },
    ...{ maxAttempts: CHECKED, timeoutSeconds: CHECKED, concurrency: CHECKED },
    ...{ runConcurrency: CHECKED, adaptive: FLAG, idempotent: FLAG },
    ...{ backoffBaseSeconds: CHECKED, backoffCapSeconds: CHECKED },
  },
};

/**
 * Defines a task. Export what it returns from the tasks module.
 *
 * ```ts
 * export const double = defineTask({ name: 'double', run: (n: number) => n * 2 });
 *
 * export const size = defineTask({
 *   name: 'size',
 *   input: z.object({ url: z.url() }),
 *   timeoutSeconds: 30,
 *   async run({ url }, { signal }) {
 *     return (await (await fetch(url, { signal })).bytes()).length;
 *   },
 * });
 * ```
 *
 * @throws FanfoldError `BadTask` when an option is out of its range.
 */
export function defineTask<S extends StandardSchemaV1, Output, Resources = undefined>(
  definition: WithSchema<S, Output, Resources> &
    JsonInput<StandardSchemaV1.InferInput<S>, 'input'> &
    JsonOutput<Output>,
): Task<StandardSchemaV1.InferInput<S>, Output>;
export function defineTask<Input, Output, Resources = undefined>(
  definition: WithoutSchema<Input, Output, Resources> &
    JsonInput<Input, 'run'> &
    JsonOutput<Output>,
): Task<Input, Output>;
export function defineTask(
  definition: TaskOptions & {
    input?: StandardSchemaV1 | NoSchema | undefined;
    setup?: ((context: SetupContext) => unknown) | undefined;
    // biome-ignore lint/suspicious/noExplicitAny: what both overloads take; they check the caller.
    teardown?: ((resources: any) => unknown) | undefined;
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    run(input: any, context: TaskContext, resources: any): unknown;
  },
  // biome-ignore lint/suspicious/noExplicitAny: as above.
): Task<any, any> {
  checkOptions(DEFINITION, definition);
  const { name } = definition;
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new FanfoldError(
      'BadTask',
      `A task's name must be 1 to 80 letters, digits, "-" and "_"; got ${valueText(name)}.`,
    );
  }
  if (typeof definition.run !== 'function') {
    throw new FanfoldError(
      'BadTask',
      `Task "${name}": \`run\` must be a function; got ${typeof definition.run}.`,
    );
  }
  for (const key of ['setup', 'teardown', 'retry'] as const) {
    const given: unknown = definition[key];
    if (given === undefined || typeof given === 'function') continue;
    throw new FanfoldError(
      'BadTask',
      `Task "${name}": \`${key}\` must be a function; got ${typeof given}.`,
    );
  }
  const schema = definition.input;
  if (!isSchema(schema)) {
    throw new FanfoldError(
      'BadTask',
      `Task "${name}": \`input\` must be a Standard Schema, such as one of zod 3.24 or later, valibot or arktype.`,
    );
  }
  const number = (key: keyof TaskOptions & string, fallback: number, from: number, to: number) => {
    const given = definition[key];
    if (given === undefined) return fallback;
    const fits = typeof given === 'number' && given >= from && given <= to;
    if (!fits || (!key.endsWith('Seconds') && !Number.isInteger(given))) {
      throw new FanfoldError(
        'BadTask',
        `Task "${name}": \`${key}\` must be ${key.endsWith('Seconds') ? 'a number' : 'a whole number'} from ${from} to ${to}; got ${valueText(given)}.`,
      );
    }
    return given;
  };
  return Object.freeze({
    [MARK]: true,
    name,
    input: schema,
    maxAttempts: number('maxAttempts', 3, 1, 100),
    timeoutSeconds: number('timeoutSeconds', 60, 0.001, 43_200),
    concurrency: number('concurrency', 1, 1, 1000),
    runConcurrency:
      definition.runConcurrency === undefined ? undefined : number('runConcurrency', 1, 1, 100_000),
    backoffBaseSeconds: number('backoffBaseSeconds', 1, 0, 900),
    backoffCapSeconds: number('backoffCapSeconds', 60, 0, 900),
    // Called as a method of the definition, so that `this` is what its author expects.
    run: (input: unknown, context: TaskContext, resources: unknown) =>
      definition.run(input, context, resources),
    idempotent: definition.idempotent ?? false,
    adaptive: definition.adaptive ?? false,
    retry:
      definition.retry && ((error: unknown, attempt: number) => definition.retry?.(error, attempt)),
    setup: definition.setup && ((context: SetupContext) => definition.setup?.(context)),
    teardown: definition.teardown && ((resources: unknown) => definition.teardown?.(resources)),
  });
}

function isSchema(
  value: StandardSchemaV1 | string | undefined,
): value is StandardSchemaV1 | undefined {
  if (value === undefined) return true;
  return typeof value !== 'string' && typeof value?.['~standard']?.validate === 'function';
}

/** Whether a value came from `defineTask`, of this or another installed copy of Fanfold. */
export function isTask(value: unknown): value is AnyTask {
  return typeof value === 'object' && value !== null && MARK in value;
}

let functions = 0;

/** Makes a task of a function of this process, under a name that no other task has. */
export function taskOf(run: (input: never, context: TaskContext) => unknown): AnyTask {
  const name = run.name.replace(/[^A-Za-z0-9_-]/g, '').slice(0, 60) || 'function';
  return defineTask<unknown, unknown>({
    name: `${name}-${++functions}`,
    run: (input, context) => run(input as never, context),
  });
}

/** A task's name and options, which can be sent to another process. */
export function factsOf(task: TaskFacts): TaskFacts {
  const { name, maxAttempts, timeoutSeconds, concurrency, runConcurrency, idempotent } = task;
  const { backoffBaseSeconds, backoffCapSeconds } = task;
  return {
    ...{ name, maxAttempts, timeoutSeconds, concurrency, runConcurrency, idempotent },
    ...{ backoffBaseSeconds, backoffCapSeconds },
  };
}
