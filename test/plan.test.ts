import { expect, it } from 'vitest';
import { connect, defineTask } from '../src/index.ts';

const pause = defineTask({
  name: 'pause',
  async run(input: number) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return 'x'.repeat(input % 2);
  },
});

const flaky = defineTask({
  name: 'flaky',
  maxAttempts: 2,
  backoffBaseSeconds: 0,
  run(input: number, { attempt }) {
    if (input % 2 === 0 && attempt === 1) throw new Error('at first');
    return input;
  },
});

const fails = defineTask({ name: 'fails', maxAttempts: 1, run: (): number => raise('always') });

function raise(message: string): never {
  throw new Error(message);
}

it('predicts a run of a program from a sample of its inputs', async () => {
  await using fanfold = await connect({ workers: 4 });
  let sampled = 0;
  const inputs = Array.from({ length: 1_000 }, (_, at) => at);
  const plan = await fanfold.plan(pause, inputs, {
    sample: 40,
    onSampled: (done) => {
      sampled = done;
    },
  });
  expect(plan).toMatchObject({ task: 'pause', inputs: 1_000, inputBytes: 2_890, workers: 4 });
  expect(plan.sample).toMatchObject({ inputs: 40, ok: 40, failed: 0, attempts: 1, failures: [] });
  expect(plan.sample.ms.p50).toBeGreaterThan(19);
  expect(sampled).toBe(40);
  // 5 s of pauses, and the pipeline's own time.
  expect(plan.seconds.likely).toBeGreaterThan(4.9);
  expect(plan.seconds.low).toBeLessThan(plan.seconds.likely);
  expect(plan.limitedBy).toBe('4 workers here');
});

it('counts the attempts of inputs that are ok in the end', async () => {
  await using fanfold = await connect({ workers: 2 });
  const plan = await fanfold.plan(flaky, [0, 1, 2, 3, 4, 5, 6, 7], { sample: 8 });
  expect(plan.sample).toMatchObject({ inputs: 8, ok: 8, attempts: 1.5 });
});

it('plans for the rate that a run may have', async () => {
  await using fanfold = await connect({ workers: 2 });
  const plan = await fanfold.plan(flaky, Array(1_000).fill(1), { rate: '5/s', sample: 2 });
  expect(plan.seconds.likely).toBeGreaterThan(180);
  expect(plan.limitedBy).toBe('the rate, 5/s');
});

it('plans nothing from nothing', async () => {
  await using fanfold = await connect({ workers: 2 });
  await expect(fanfold.plan(flaky, [])).rejects.toMatchObject({
    code: 'BadInput',
    message: expect.stringContaining('no inputs'),
  });
  await expect(fanfold.plan(fails, [1, 2, 3])).rejects.toMatchObject({
    code: 'TaskFailed',
    message: expect.stringMatching(/All 3 inputs of the sample failed.*Error: always/),
  });
  await expect(fanfold.plan(flaky, [1], { sample: 0 })).rejects.toThrow(/sample.*from 1 to 10000/);
  const wrong: object = { rat: '1/s' };
  await expect(fanfold.plan(flaky, [1], wrong)).rejects.toThrow(/no option `rat`/);
  await expect(fanfold.plan('unknown', [1])).rejects.toMatchObject({ code: 'UnknownTask' });
});

it('ends when its signal aborts, and names the input that is wrong', async () => {
  await using fanfold = await connect({ workers: 2 });
  const signal = AbortSignal.abort(new Error('enough'));
  await expect(fanfold.plan(flaky, [1, 2], { signal })).rejects.toThrow('enough');
  const inputs = [1, 2, Number.NaN];
  await expect(fanfold.plan(flaky, inputs)).rejects.toMatchObject({ code: 'BadInput', index: 2 });
});
