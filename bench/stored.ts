import { fileURLToPath } from 'node:url';
import { FORMATS } from '../src/outputs/formats.ts';
import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { atLeast, megabytes, perSecond, seconds, under } from './format.ts';
import { measure } from './measure.ts';

const COLLECT = fileURLToPath(new URL('./storing/collect.ts', import.meta.url));
const CALL_MS = 20;
const RESULTS_A_SECOND = 5_000;
const MEMORY = 300e6;

/** The heap of a small function: what is in memory beyond it are the parts, as bytes. */
const SMALL_HEAP = ['--max-semi-space-size=8', '--max-old-space-size=64'];

/** Collects runs into S3, where each call to SQS and S3 only waits. */
export const stored: Benchmark = {
  name: 'stored',
  about: `one collector function at ${CALL_MS} ms a call: one result in each message; 10,000,000 results in each format`,
  long: true,
  async run(bench) {
    const figures = await speed(bench);
    for (const format of FORMATS) figures.push(...(await memory(bench, format)));
    return figures;
  },
};

async function collected(
  { folder, signal }: Bench,
  { results, each, format = 'jsonl' }: { results: number; each: number; format?: string },
  heap: string[] = [],
) {
  const of = ['--results', results, '--each', each, '--call', CALL_MS, '--format', format];
  const args = of.map(String);
  const command = { program: process.execPath, args: [...heap, COLLECT, ...args] };
  const { stdout, peakBytes } = await measure(command, { cwd: folder, signal });
  const { seconds: took } = JSON.parse(stdout) as { seconds: number };
  return { took, peakBytes };
}

async function speed(bench: Bench): Promise<Figure[]> {
  const results = 300_000;
  const { took } = await collected(bench, { results, each: 1 });
  const rate = results / took;
  const goal = atLeast(rate, RESULTS_A_SECOND, (value) => perSecond(value, 'results'));
  return [{ what: 'one result a message', ours: perSecond(rate, 'results'), goal }];
}

async function memory(bench: Bench, format: string): Promise<Figure[]> {
  const { took, peakBytes } = await collected(
    bench,
    { results: 10_000_000, each: 100, format },
    SMALL_HEAP,
  );
  const peak: Figure =
    peakBytes === undefined
      ? { what: `${format}: peak memory`, ours: 'not measured: no /proc' }
      : {
          what: `${format}: peak memory`,
          ours: megabytes(peakBytes),
          goal: under(peakBytes, MEMORY, megabytes),
        };
  return [{ what: `${format}: 10,000,000 results`, ours: seconds(took) }, peak];
}
