/** A value that JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Type of a value after JSON: a `Date` is a string, a missing value `null`; methods are lost. */
export type JsonImage<T> = T extends { toJSON(): infer J }
  ? JsonImage<J>
  : T extends string | number | boolean | null
    ? T
    : // biome-ignore lint/suspicious/noConfusingVoidType: a task that returns nothing returns void.
      T extends undefined | void
      ? null
      : T extends (...args: never[]) => unknown
        ? never
        : T extends symbol | bigint
          ? never
          : T extends readonly unknown[]
            ? { [K in keyof T]: JsonImage<T[K]> }
            : T extends object
              ? JsonObjectImage<T>
              : unknown extends T
                ? // `any` and `unknown` stay as they are: nothing is known of them.
                  T
                : never;

type Skipped = ((...args: never[]) => unknown) | symbol | undefined;
type Kept<T, K extends keyof T> = K extends symbol ? never : T[K] extends Skipped ? never : K;
/** A property of type `any` or `unknown` stays as it is: nothing is known of it. */
type MayBeMissing<V> = unknown extends V ? false : undefined extends V ? true : false;
/** JSON omits a property whose value is `undefined`: if it may be, the property is optional. */
type JsonObjectImage<T> = Flat<
  {
    [K in keyof T as MayBeMissing<T[K]> extends true ? never : Kept<T, K>]: JsonImage<T[K]>;
  } & {
    [K in keyof T as MayBeMissing<T[K]> extends true ? Kept<T, K> : never]?: JsonImage<
      Exclude<T[K], undefined>
    >;
  }
>;
type Flat<T> = { [K in keyof T]: T[K] };

/**
 * Types that travel as JSON. Another type is refused where its task is defined, by a type error
 * whose text is one of the sentences below.
 */

type NotAnInput =
  'Inputs are sent as JSON. A Date, Map, Set, bigint, function, class instance or undefined cannot be sent: use a JSON type such as a string or null, and convert it (z.coerce.date(), z.string().transform(...)).';

type NotAnOutput =
  'Outputs are sent as JSON, which has no Map, Set, Promise, bigint, RegExp, function or symbol: return an array, an object or a string instead.';

declare const LOST: unique symbol;
/** A type of which JSON has no value. */
interface Lost {
  readonly [LOST]: true;
}

type AnyFunction = (...args: never[]) => unknown;

/** The type that arrives when a value is sent as JSON. */
type Arrived<T> = unknown extends T
  ? T
  : // Ends the recursion through types that contain themselves, such as `Json`.
    T extends Json
    ? T
    : T extends undefined
      ? // A missing property stays missing.
        never
      : T extends { toJSON(): infer J }
        ? Arrived<J>
        : T extends AnyFunction | symbol | bigint
          ? Lost
          : T extends readonly unknown[]
            ? ArrivedList<T>
            : { [K in keyof T]: K extends symbol ? T[K] : Arrived<T[K]> };

/** A list has no missing elements: JSON sends `null` for `undefined`. */
type ArrivedList<T extends readonly unknown[]> = number extends T['length']
  ? {
      [K in keyof T]: undefined extends T[K] ? ArrivedElement<T[K]> : Arrived<T[K]>;
    }
  : { [K in keyof T]: Arrived<T[K]> };

type ArrivedElement<E> = unknown extends E ? E : Arrived<Exclude<E, undefined>> | null;

/** The type that arrives when a whole input is sent, which can't be missing. */
type ArrivedInput<Input> = unknown extends Input
  ? Input
  : [Input] extends [never]
    ? Input
    : // biome-ignore lint/suspicious/noConfusingVoidType: a parameter that takes no value may be void.
      [Input] extends [undefined | void]
      ? Lost
      : Arrived<Input>;

/** Intersect with it to allow only inputs that arrive as they are sent; `Key` has the sentence. */
export type JsonInput<Input, Key extends string> = [ArrivedInput<Input>] extends [Input]
  ? unknown
  : { [K in Key]: NotAnInput };

/**
 * The schema's type in a definition without one. TypeScript explains only why the last of several
 * signatures did not fit: it then compares a schema with this type.
 */
export type NoSchema =
  'A task needs a schema whose inputs JSON can hold (no Date, Map, Set, bigint or class instance: z.coerce.date() accepts a string), and a `run` that accepts the output of the schema and returns a value that JSON can hold.';

/** A Map, a Set, or the like: by few members, since each version of ECMAScript adds some. */
interface Collection {
  readonly size: number;
  has(key: never): boolean;
  forEach(callback: never): void;
}

/** Kinds of values that JSON turns into an empty object, or refuses. */
type LostKind =
  | Collection
  | WeakMap<never, unknown>
  | WeakSet<never>
  | PromiseLike<unknown>
  | RegExp
  | bigint
  | symbol;

/** The same type without what JSON loses. Methods may be lost: an output is often a class's. */
type Sendable<T> = unknown extends T
  ? T
  : T extends Json | undefined | { toJSON(): unknown }
    ? T
    : T extends LostKind
      ? Lost
      : T extends AnyFunction
        ? T
        : { [K in keyof T]: K extends symbol ? T[K] : Sendable<T[K]> };

/** Intersect with it to allow only outputs that JSON does not lose. */
export type JsonOutput<Output> = unknown extends Output
  ? unknown
  : // biome-ignore lint/suspicious/noConfusingVoidType: a task that returns nothing returns void.
    [Exclude<Output, void>] extends [Sendable<Exclude<Output, void | AnyFunction>>]
    ? unknown
    : { run: NotAnOutput };
