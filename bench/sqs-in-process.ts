import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { micros, under } from './format.ts';
import { measure, median } from './measure.ts';
import type { Calls } from './sqs/calls.ts';

const CALLS = fileURLToPath(new URL('./sqs/calls.ts', import.meta.url));
const RUNS = 3;

/** Cost of a call in the SQS itself. */
export const sqsInProcess: Benchmark = {
  name: 'sqs-in-process',
  about: 'cost of a call in the service itself, JSON protocol, messages of 1 KiB, without the SDK',
  async run(bench) {
    return [
      ...(await figures(bench, 1, 'one message', 20)),
      ...(await figures(bench, 10, 'a batch of ten', 100)),
    ];
  },
};

async function figures(
  bench: Bench,
  entries: number,
  of: string,
  limit: number,
): Promise<Figure[]> {
  const runs: Calls[] = [];
  for (let run = 0; run < RUNS; run++) {
    const { stdout } = await measure(
      { program: process.execPath, args: [CALLS, String(entries)] },
      { cwd: bench.folder, signal: bench.signal },
    );
    runs.push(JSON.parse(stdout));
  }
  return (['send', 'receive', 'delete'] as const).map((action) => {
    const cost = median(runs.map((run) => run[action]));
    return { what: `${action} ${of}`, ours: micros(cost), goal: under(cost, limit, micros) };
  });
}
