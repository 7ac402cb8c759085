// Simulates a run of a million inputs on a thousand workers, in virtual time. Prints a
// `SimulatedRun` as JSON. The same seed gives the same run.
import { parseArgs } from 'node:util';
import { VirtualClock, VirtualTimer } from '../../src/worlds/planned/clock.ts';
import { Random } from '../../src/worlds/planned/random.ts';
import { makeDeterministic, reseed } from '../../test/simulation/determinism.ts';

/** Figures of a simulated run: seconds of virtual time, and numbers of calls. */
export interface SimulatedRun {
  /** From the run's start to the end of its last input. */
  workSeconds: number;
  /** From the end of the last input until all results were collected. */
  collectedSeconds: number;
  resultMessages: number;
  receives: number;
  deletes: number;
}

const WORKERS = 1_000;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    ms: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
  },
});

async function simulate(inputs: number, ms: number, seed: number): Promise<SimulatedRun> {
  makeDeterministic();
  reseed(seed);
  const clock = new VirtualClock(Date.UTC(2027, 0, 1), VirtualTimer);
  clock.install();
  // Imported only now, since their imports read random values while loading.
  const { Run } = await import('../../src/pipeline/collecting/run.ts');
  const { defineTask } = await import('../../src/task.ts');
  const { TaskRegistry } = await import('../../src/task-registry.ts');
  const { virtualStack } = await import('../../src/worlds/planned/stack.ts');

  let lastEnd = 0;
  const work = defineTask({
    name: 'work',
    run(index: number) {
      const end = () => {
        lastEnd = Date.now();
        return index;
      };
      if (ms === 0) return end();
      return new Promise((resolve) => setTimeout(() => resolve(end()), ms));
    },
  });
  const tasks = TaskRegistry.fromModule({ work });
  const { deployment, bill } = await virtualStack({
    tasks: () => tasks,
    maxConcurrency: WORKERS,
    burst: WORKERS / 2,
    watching: () => ({}),
    random: new Random(seed),
  });
  const startedAt = Date.now();
  const run = new Run(
    deployment,
    'work',
    Array.from({ length: inputs }, (_, index) => index),
  );
  let results = 0;
  let collected = false;
  let failure: unknown;
  const collecting = async () => {
    for await (const { count } of run.batches()) results += count;
    collected = true;
  };
  collecting().catch((error: unknown) => {
    failure = error;
  });
  await clock.pass(() => collected || failure !== undefined);
  if (failure !== undefined) throw failure;
  if (results !== inputs) throw new Error(`Expected ${inputs} results; got ${results}.`);
  const calls = (kind: string) => bill.sqs.get(kind)?.calls ?? 0;
  return {
    workSeconds: (lastEnd - startedAt) / 1000,
    collectedSeconds: (Date.now() - lastEnd) / 1000,
    resultMessages: calls('worker SendMessage'),
    receives: calls('collector ReceiveMessage'),
    deletes: calls('collector DeleteMessageBatch'),
  };
}

const { inputs, ms, seed } = values;
console.log(JSON.stringify(await simulate(Number(inputs), Number(ms), Number(seed))));
process.exit();
