// Compiled by `npm run types`: the types that users meet between `defineTask` and a result.
import { expectTypeOf } from 'vitest';
import * as z from 'zod';
import {
  type AnyTask,
  type ConnectOptions,
  connect,
  defineTask,
  type Fanfold,
  type InputOf,
  type JsonImage,
  type Ledger,
  type OutputOf,
  type Result,
  type Run,
  type Task,
} from '../../src/index.ts';

const resize = defineTask({
  name: 'resize',
  input: z.object({ url: z.string(), size: z.number().default(100) }),
  run: async ({ url, size }) => ({ url, size, at: new Date() }),
});
const plain = defineTask({
  name: 'plain',
  run: (input: number) => [input, String(input)] as const,
});
const nothing = defineTask({ name: 'nothing', run: () => {} });

// InputOf: what a caller passes, which is the schema's input and not its output.
expectTypeOf<InputOf<typeof resize>>().toEqualTypeOf<{ url: string; size?: number | undefined }>();
expectTypeOf<InputOf<typeof plain>>().toEqualTypeOf<number>();
expectTypeOf<InputOf<typeof nothing>>().toBeUnknown();
expectTypeOf<InputOf<Task<string, number>>>().toEqualTypeOf<string>();
// biome-ignore lint/suspicious/noExplicitAny: the input of some task.
expectTypeOf<InputOf<AnyTask>>().toEqualTypeOf<any>();
expectTypeOf<InputOf<{ name: string }>>().toBeNever();

// OutputOf: what a result holds after JSON.
expectTypeOf<OutputOf<typeof resize>>().toEqualTypeOf<{ url: string; size: number; at: string }>();
expectTypeOf<OutputOf<typeof plain>>().toEqualTypeOf<readonly [number, string]>();
expectTypeOf<OutputOf<typeof nothing>>().toEqualTypeOf<null>();
expectTypeOf<OutputOf<Task<string, Date>>>().toEqualTypeOf<string>();
expectTypeOf<OutputOf<AnyTask>>().toBeUnknown();
expectTypeOf<OutputOf<string>>().toBeNever();

// JsonImage: primitives stay, toJSON() counts, and JSON has no functions, symbols or undefined.
expectTypeOf<JsonImage<'a' | 1 | true | null>>().toEqualTypeOf<'a' | 1 | true | null>();
expectTypeOf<JsonImage<Date>>().toEqualTypeOf<string>();
expectTypeOf<JsonImage<{ toJSON(): { at: Date } }>>().toEqualTypeOf<{ at: string }>();
expectTypeOf<JsonImage<undefined>>().toEqualTypeOf<null>();
expectTypeOf<JsonImage<string | undefined>>().toEqualTypeOf<string | null>();
expectTypeOf<JsonImage<(string | undefined)[]>>().toEqualTypeOf<(string | null)[]>();
expectTypeOf<JsonImage<[Date, () => void]>>().toEqualTypeOf<[string, never]>();
expectTypeOf<JsonImage<bigint>>().toBeNever();
expectTypeOf<JsonImage<symbol>>().toBeNever();
expectTypeOf<JsonImage<() => void>>().toBeNever();
expectTypeOf<JsonImage<unknown>>().toBeUnknown();
// biome-ignore lint/suspicious/noExplicitAny: what JSON.parse returns.
expectTypeOf<JsonImage<any>>().toBeAny();
expectTypeOf<JsonImage<{ a: Date; c: undefined; d(): void }>>().toEqualTypeOf<{ a: string }>();
expectTypeOf<JsonImage<{ e: { f: Date }[] }>>().toEqualTypeOf<{ e: { f: string }[] }>();
expectTypeOf<JsonImage<{ b?: Date }>>().toEqualTypeOf<{ b?: string }>();
expectTypeOf<JsonImage<{ b: Date | undefined }>>().toEqualTypeOf<{ b?: string }>();
expectTypeOf<JsonImage<{ readonly b: string | null }>>().toEqualTypeOf<{
  readonly b: string | null;
}>();
expectTypeOf<JsonImage<{ b: unknown }>>().toEqualTypeOf<{ b: unknown }>();
// biome-ignore lint/suspicious/noExplicitAny: what JSON.parse returns.
expectTypeOf<JsonImage<{ b: any }>>().toEqualTypeOf<{ b: any }>();
interface Tree {
  at: Date;
  children: Tree[];
}
expectTypeOf<JsonImage<Tree>['children'][number]['children'][number]['at']>().toBeString();

// connect: no options, and a connection that `await using` closes.
expectTypeOf(connect).toBeCallableWith();
expectTypeOf(connect).toBeCallableWith({ tasks: './tasks.ts', workers: 4 });
expectTypeOf(connect).returns.resolves.toEqualTypeOf<Fanfold>();
expectTypeOf<Fanfold>().toExtend<AsyncDisposable>();
expectTypeOf({ tasks: new URL('file:///tasks.ts'), workers: 4 }).toExtend<ConnectOptions>();
expectTypeOf({ workers: '4' }).not.toExtend<ConnectOptions>();

// map: the task's types in, its results out.
export async function map(fanfold: Fanfold, inputs: AsyncIterable<{ url: string }>): Promise<void> {
  const run = fanfold.map(resize, [{ url: 'a' }, { url: 'b', size: 3 }], { ordered: true });
  expectTypeOf(run).toEqualTypeOf<Run<{ url: string; size: number; at: string }>>();
  expectTypeOf(run).toExtend<AsyncIterable<Result<OutputOf<typeof resize>>>>();
  expectTypeOf(run.outputs()).toExtend<AsyncIterable<{ at: string }>>();
  expectTypeOf(run.ledger).toEqualTypeOf<Ledger>();
  expectTypeOf(fanfold.map(resize, inputs)).toEqualTypeOf(run);
  expectTypeOf(fanfold.map(plain, new Set([1]))).toEqualTypeOf<Run<readonly [number, string]>>();
  expectTypeOf(fanfold.map<typeof resize>('resize', inputs)).toEqualTypeOf(run);
  expectTypeOf(fanfold.map('unknown', [1, 'a'])).toEqualTypeOf<Run<unknown>>();
  for await (const result of run) {
    expectTypeOf(result.index).toBeNumber();
    if (result.status === 'ok') expectTypeOf(result.output.at).toBeString();
    else expectTypeOf(result).not.toHaveProperty('output');
    if (result.status === 'failed') expectTypeOf(result.error.code).toExtend<string>();
  }
  // A function is mapped in this process: its input and output are those of its signature.
  expectTypeOf(fanfold.map(async (n: number) => new Date(n), [1])).toEqualTypeOf<Run<string>>();
  expectTypeOf(fanfold.map((n) => n * 2, [1, 2]).all()).toEqualTypeOf<Promise<number[]>>();
  // @ts-expect-error A function of numbers gets no texts.
  fanfold.map((n: number) => n, ['1']);
  // @ts-expect-error A Date arrives as a string.
  fanfold.map((at: Date) => at.getTime(), [new Date()]);
  // @ts-expect-error JSON has no undefined.
  fanfold.map((input: undefined) => input, [undefined]);
  // @ts-expect-error JSON makes an empty object of it.
  fanfold.map((n: number) => new Set([n]), [1]);
}
