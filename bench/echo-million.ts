import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Benchmark, Figure } from './benchmark.ts';
import { runEcho, writeEchoInputs } from './echo.ts';
import { atMost, megabytes, perSecond, seconds, times, under } from './format.ts';
import { inTurns, type Measured, measureProcessor, median } from './measure.ts';

const COUNT = 1_000_000;
const PARSE_AND_PRINT = fileURLToPath(new URL('./bare/parse-and-print.ts', import.meta.url));

/** A million small inputs: the overhead per task. */
export const echoMillion: Benchmark = {
  name: 'echo-million',
  about: '1,000,000 inputs of about 50 bytes, file to file, 2 workers; baseline: parse and print',
  async run(bench) {
    const inputs = await writeEchoInputs(bench, COUNT);
    const bare = {
      program: process.execPath,
      args: [PARSE_AND_PRINT, inputs.path, join(bench.folder, 'bare.jsonl')],
    };
    const [ours, baseline] = await inTurns(
      3,
      () => runEcho(bench, inputs),
      () => measureProcessor(bare, { cwd: bench.folder, signal: bench.signal }),
    );
    const wall = median(ours.map((run) => run.seconds));
    const bareWall = median(baseline.map((run) => run.seconds));
    const processor = median(ours.map((run) => run.processorSeconds));
    const bareProcessor = median(baseline.map((run) => run.processorSeconds));
    return [
      {
        what: 'wall time',
        ours: seconds(wall),
        baseline: seconds(bareWall),
        ratio: times(wall / bareWall),
        goal: under(wall, 6, seconds),
      },
      {
        what: 'throughput',
        ours: perSecond(COUNT / wall, 'tasks'),
        baseline: perSecond(COUNT / bareWall, 'lines'),
      },
      {
        what: 'processor',
        ours: seconds(processor),
        baseline: seconds(bareProcessor),
        ratio: times(processor / bareProcessor),
        goal: atMost(processor / bareProcessor, 2.5, times),
      },
      memory(ours),
    ];
  },
};

/** The highest peak of all runs, since a limit applies to the worst case. */
function memory(runs: readonly Measured[]): Figure {
  const what = 'peak memory of all processes';
  const peaks = runs.flatMap((run) => run.peakBytes ?? []);
  if (peaks.length === 0) return { what, ours: 'not measured: no /proc' };
  const peak = Math.max(...peaks);
  return { what, ours: megabytes(peak), goal: under(peak, 300e6, megabytes) };
}
