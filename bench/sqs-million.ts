import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { megabytes, micros, times, under } from './format.ts';
import { measure } from './measure.ts';
import type { Depths } from './sqs/million.ts';

const MILLION = fileURLToPath(new URL('./sqs/million.ts', import.meta.url));

/** Capacity of a deep queue, and the cost of its depth. */
export const sqsMillion: Benchmark = {
  name: 'sqs-million',
  about:
    'a million messages of 1 KiB queued, 100,000 of them in flight, FIFO in 20,000 groups, 10,000 of them locked; baseline: the same with a thousand messages',
  long: true,
  async run(bench) {
    return [...(await figures(bench, 'standard')), ...(await figures(bench, 'fifo'))];
  },
};

async function figures(bench: Bench, type: 'standard' | 'fifo'): Promise<Figure[]> {
  const { stdout, peakBytes } = await measure(
    { program: process.execPath, args: [MILLION, type] },
    { cwd: bench.folder, signal: bench.signal },
  );
  const { thousand, million }: Depths = JSON.parse(stdout);
  const costs = (['send', 'receive', 'delete'] as const).map((action) => {
    const ratio = million[action] / thousand[action];
    return {
      what: `${type}: ${action}`,
      ours: micros(million[action]),
      baseline: micros(thousand[action]),
      ratio: times(ratio),
      goal: under(ratio, 1.5, times),
    };
  });
  return [...costs, memory(`${type}: peak memory`, peakBytes)];
}

function memory(what: string, peakBytes: number | undefined): Figure {
  if (peakBytes === undefined) return { what, ours: 'not measured: no /proc' };
  return { what, ours: megabytes(peakBytes), goal: under(peakBytes, 2.5e9, megabytes) };
}
