// Compiled by `npm run types`: the types that a task may accept and return, and type errors.
import type { StandardSchemaV1 } from '@standard-schema/spec';
import * as z from 'zod';
import { defineTask, type Fanfold, type Json, type OutputOf } from '../../src/index.ts';

const name = 'typed';
declare const fanfold: Fanfold;

// Inputs that arrive as they are sent.

interface Photo {
  readonly url: string;
  size?: number | undefined;
  tags: readonly string[];
  owner: { name: string } | null;
}
interface Tree {
  value: number;
  children: Tree[];
}
const tree: z.ZodType<Tree, Tree> = z.object({
  value: z.number(),
  get children() {
    return z.array(tree);
  },
});
declare const BRAND: unique symbol;
type Branded = { id: string } & { readonly [BRAND]: 'id' };

export const inputs = [
  defineTask({ name, input: z.coerce.date(), run: (input) => input.getTime() }),
  defineTask({ name, input: z.string().transform((text) => new Date(text)), run: (at) => at }),
  defineTask({ name, input: z.codec(z.iso.datetime(), z.date(), CODEC()), run: (at) => at }),
  defineTask({ name, input: z.union([z.string(), z.date()]), run: String }),
  defineTask({ name, input: z.union([z.string(), z.number()]).optional(), run: String }),
  defineTask({ name, input: z.object({ a: z.string().optional() }), run: ({ a }) => a ?? '' }),
  defineTask({ name, input: z.object({ a: z.string().default('') }), run: ({ a }) => a.length }),
  defineTask({
    name,
    input: z.discriminatedUnion('a', [z.object({ a: z.literal(1) })]),
    run: Number,
  }),
  defineTask({ name, input: z.array(z.tuple([z.string(), z.number()])), run: (all) => all.length }),
  defineTask({ name, input: z.record(z.string(), z.unknown()), run: Object.keys }),
  defineTask({ name, input: z.enum(['a', 'b']), run: (input) => input }),
  defineTask({ name, input: z.string().brand<'id'>(), run: (input) => input.length }),
  defineTask({ name, input: z.any(), run: (input) => String(input) }),
  defineTask({ name, input: z.unknown(), run: String }),
  defineTask({ name, input: z.json(), run: (input) => input }),
  defineTask({ name, input: tree, run: ({ value }) => value }),
  defineTask({ name, run: (input: Photo) => input.url }),
  defineTask({ name, run: (input: Tree) => input }),
  defineTask({ name, run: (input: Branded) => input.id }),
  defineTask({ name, run: (input: readonly Photo[]) => input.length }),
  defineTask({ name, run: (input: Record<string, string>) => input }),
  defineTask({ name, run: (input: Json) => input }),
  defineTask({ name, run: (input: null) => input }),
  defineTask({ name, run: (input: (string | null)[]) => input }),
  defineTask({ name, run: (input: [string, number?]) => input }),
  defineTask({ name, run: (input: unknown[]) => input }),
  // biome-ignore lint/suspicious/noExplicitAny: users write it.
  defineTask({ name, run: (input: any[]) => input }),
  // biome-ignore lint/suspicious/noExplicitAny: users write it.
  defineTask({ name, run: (input: any) => input }),
  defineTask({ name, run: (input: unknown) => input }),
  defineTask({ name, run: () => 1 }),
  defineTask({ name, async run() {} }),
];

function CODEC() {
  return { decode: (text: string) => new Date(text), encode: (at: Date) => at.toISOString() };
}

/** A schema of any library. */
export const generic = <S extends StandardSchemaV1<string, number>>(input: S) => input;

// Inputs that never arrive.

// @ts-expect-error A Date becomes a string.
defineTask({ name, input: z.date(), run: (at) => at.getTime() });
// @ts-expect-error Its property does.
defineTask({ name, input: z.object({ at: z.date() }), run: ({ at }) => at.getTime() });
// @ts-expect-error An optional one does as well.
defineTask({ name, input: z.object({ at: z.date().optional() }), run: () => 1 });
// @ts-expect-error Those of an array do.
defineTask({ name, input: z.array(z.object({ at: z.date() })), run: (all) => all.length });
// @ts-expect-error JSON has no bigint.
defineTask({ name, input: z.bigint(), run: (input) => input > 1n });
// @ts-expect-error JSON makes an empty object of it.
defineTask({ name, input: z.map(z.string(), z.number()), run: (input) => input.size });
// @ts-expect-error So it does of this.
defineTask({ name, input: z.set(z.string()), run: (input) => input.size });
// @ts-expect-error JSON has no symbol.
defineTask({ name, input: z.symbol(), run: String });
// @ts-expect-error An instance loses its class.
defineTask({ name, input: z.instanceof(URL), run: (input) => input.host });
// @ts-expect-error Without a schema nothing would notice that it is a string.
defineTask({ name, run: (input: { at: Date }) => input.at.getTime() });
// @ts-expect-error JSON has no function.
defineTask({ name, run: (input: { get: () => string }) => input.get() });

// @ts-expect-error JSON has no undefined.
defineTask({ name, run: (input: undefined) => input });
// @ts-expect-error Nor has it void.
defineTask({ name, input: z.void(), run: () => 1 });
// @ts-expect-error A schema does not change that.
defineTask({ name, input: z.undefined(), run: () => 1 });
// @ts-expect-error Elements that are undefined arrive as null.
defineTask({ name, run: (input: (string | undefined)[]) => input.length });
// @ts-expect-error Another element may still be lost.
defineTask({ name, run: (input: (Date | null | undefined)[]) => input.length });
// @ts-expect-error Those of a property do as well.
defineTask({ name, input: z.object({ a: z.array(z.string().optional()) }), run: () => 1 });

// Outputs that JSON holds, and those that it loses.

class Point {
  x = 1;
  get y() {
    return 2;
  }
  length() {
    return this.x;
  }
}

export const outputs = [
  defineTask({ name, run: () => ({ at: new Date(), url: new URL('a:b'), point: new Point() }) }),
  defineTask({ name, run: async () => [1, 'a', null, undefined] as const }),
  defineTask({ name, run: async (): Promise<Tree> => ({ value: 1, children: [] }) }),
  defineTask({ name, run: (): { a?: string | undefined } => ({}) }),
  defineTask({ name, run: (input: number): string | undefined => (input ? 'a' : undefined) }),
  defineTask({ name, run: () => JSON.parse('{}') }),
  defineTask({ name, run: (): never => process.exit() }),
  defineTask({ name, run: () => new Uint8Array(3) }),
];

// @ts-expect-error JSON makes an empty object of it.
defineTask({ name, run: () => new Map([['a', 1]]) });
// @ts-expect-error So it does of this.
defineTask({ name, run: async () => ({ seen: new Set(['a']) }) });
// @ts-expect-error JSON refuses it.
defineTask({ name, input: z.number(), run: (input) => ({ sum: BigInt(input) }) });
// @ts-expect-error JSON has no function.
defineTask({ name, run: () => () => 1 });
// @ts-expect-error JSON has no symbol.
defineTask({ name, run: () => Symbol('a') });
// @ts-expect-error JSON makes an empty object of each.
defineTask({ name, run: (input: number[]) => input.map(async (one) => one) });

// A task's types go on to `map` and to its results.

const double = defineTask({ name, input: z.object({ n: z.number() }), run: ({ n }) => n * 2 });
export const doubled: OutputOf<typeof double> = 2;
export const sum = (run = fanfold.map(double, [{ n: 1 }])): AsyncIterable<number> => run.outputs();
// @ts-expect-error The input has no such property.
fanfold.map(double, [{ m: 1 }]);
// @ts-expect-error A text is no list of inputs.
fanfold.map(double, 'abc');
// @ts-expect-error There are no inputs.
fanfold.map(double);
