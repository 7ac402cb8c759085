import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import * as z from 'zod';
import {
  connect,
  defineTask,
  type InputOf,
  NonRetryableError,
  type OutputOf,
} from '../../../src/index.ts';
import { Setups } from '../../../src/pipeline/working/setups.ts';

afterEach(() => {
  vi.useRealTimers();
});

class Pool {
  isOpen = true;
  length(text: string): number {
    if (!this.isOpen) throw new Error('closed');
    return text.length;
  }
}

describe('a task with setup and teardown', () => {
  it('has its types from what setup returns', () => {
    const plain = defineTask({
      name: 'plain',
      setup: async () => new Pool(),
      teardown: (pool) => expectTypeOf(pool).toEqualTypeOf<Pool>(),
      run: (input: number, _, pool) => pool.length(String(input)),
    });
    expectTypeOf<InputOf<typeof plain>>().toEqualTypeOf<number>();
    expectTypeOf<OutputOf<typeof plain>>().toEqualTypeOf<number>();
    const checked = defineTask({
      name: 'checked',
      input: z.object({ url: z.string().transform((url) => new URL(url)) }),
      async setup({ signal }) {
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
        return { pool: new Pool(), at: 1 };
      },
      async run({ url }, { index }, { pool, at }) {
        return { href: url.href, sum: pool.length(url.href) + index + at };
      },
    });
    expectTypeOf<InputOf<typeof checked>>().toEqualTypeOf<{ url: string }>();
    expectTypeOf<OutputOf<typeof checked>>().toEqualTypeOf<{ href: string; sum: number }>();
    const without = defineTask({
      name: 'without',
      run(input: string, { index }, nothing) {
        expectTypeOf(nothing).toEqualTypeOf<undefined>();
        return [input, index];
      },
    });
    expectTypeOf<InputOf<typeof without>>().toEqualTypeOf<string>();
    defineTask({
      name: 'wrong',
      setup: () => new Pool(),
      // @ts-expect-error a pool has no such method
      run: (input: string, _, pool) => pool.size(input),
    });
  });

  it('is refused if one of them is not a function', () => {
    const wrong = { name: 'wrong', run: () => 1, setup: 5 as never };
    expect(() => defineTask(wrong)).toThrow(
      'Task "wrong": `setup` must be a function; got number.',
    );
  });

  it('is set up once per connection, shared by its inputs, and torn down at close', async () => {
    const said: string[] = [];
    const task = defineTask({
      name: 'pooled',
      setup: async ({ signal }) => {
        said.push('set up');
        // Resources of a setup stay alive, such as a process that was started with its signal.
        signal.addEventListener('abort', () => said.push('aborted'));
        return new Pool();
      },
      teardown: (pool) => {
        pool.isOpen = false;
        said.push('torn down');
      },
      run: (text: string, _, pool) => pool.length(text),
    });
    const fanfold = await connect({ workers: 3 });
    const inputs = Array.from({ length: 40 }, (_, n) => 'x'.repeat(n));
    const outputs = await Array.fromAsync(fanfold.map(task, inputs).outputs());
    expect(outputs).toEqual(inputs.map(({ length }) => length));
    expect(said).toEqual(['set up']);
    await fanfold.close();
    expect(said).toEqual(['set up', 'torn down']);
  });

  it('is set up again for the next attempt if the setup failed', async () => {
    let tries = 0;
    const task = defineTask({
      name: 'flaky',
      backoffBaseSeconds: 0,
      setup: () => {
        if (++tries === 1) throw new TypeError('no database');
        return 'ready';
      },
      run: (_: number, { attempt }, resources) => `${resources} ${attempt}`,
    });
    await using fanfold = await connect({ workers: 1 });
    expect(await Array.fromAsync(fanfold.map(task, [1]).outputs())).toEqual(['ready 2']);
    expect(tries).toBe(2);
  });

  it('fails its inputs with a sentence, at once if a retry is pointless', async () => {
    let tries = 0;
    const task = defineTask({
      name: 'hopeless',
      setup: () => {
        tries++;
        throw new NonRetryableError('no licence');
      },
      run: (input: number) => input,
    });
    await using fanfold = await connect({ workers: 1 });
    const [result] = await Array.fromAsync(fanfold.map(task, [1]));
    expect(result).toMatchObject({
      status: 'failed',
      error: {
        code: 'TaskFailed',
        message: 'The setup of the task "hopeless" failed: no licence',
        attempts: 1,
      },
    });
    expect(tries).toBe(1);
  });

  it('does not delay the end of a connection', async () => {
    let aborted: unknown;
    const started = Promise.withResolvers<void>();
    const task = defineTask({
      name: 'endless',
      setup: ({ signal }) => {
        signal.addEventListener('abort', () => {
          aborted = signal.reason;
        });
        started.resolve();
        return new Promise<never>(() => {});
      },
      run: (input: number) => input,
    });
    const fanfold = await connect({ workers: 1 });
    const taking = expect(Array.fromAsync(fanfold.map(task, [1]))).rejects.toMatchObject({
      code: 'Closed',
    });
    await started.promise;
    await fanfold.close();
    await taking;
    expect(aborted).toMatchObject({ message: 'The process ends.' });
  });
});

describe('setups', () => {
  const endless = () => new Promise<never>(() => {});
  const run = (input: number) => input;

  it('have two minutes, and resources that arrive later are torn down', async () => {
    vi.useFakeTimers();
    const late = Promise.withResolvers<string>();
    const torn: unknown[] = [];
    const teardown = (made: string) => torn.push(made);
    const task = defineTask({ name: 'slow', setup: () => late.promise, teardown, run });
    const setups = new Setups();
    const failed = expect(setups.of(task)).rejects.toThrow(
      'The setup of the task "slow" failed: It took longer than 120 s.',
    );
    await vi.advanceTimersByTimeAsync(120_000);
    await failed;
    late.resolve('late');
    await vi.advanceTimersByTimeAsync(0);
    expect(torn).toEqual(['late']);
  });

  it('are torn down within five seconds, and failures are reported', async () => {
    vi.useFakeTimers();
    const setups = new Setups();
    const failing = () => {
      throw new Error('gone');
    };
    await setups.of(defineTask({ name: 'fails', setup: () => 1, teardown: failing, run }));
    await setups.of(defineTask({ name: 'hangs', setup: () => 1, teardown: endless, run }));
    const told: string[] = [];
    const closed = setups.close((message) => told.push(message));
    await vi.advanceTimersByTimeAsync(5_000);
    await closed;
    expect(told).toEqual([
      'The teardown of the task "fails" failed: gone',
      'The teardown of tasks took longer than 5 s.',
    ]);
  });
});
