import type { Benchmark, Figure } from './benchmark.ts';
import { runEcho, writeEchoInputs } from './echo.ts';
import { atMost, megabytes, seconds, times } from './format.ts';
import { type Measured, median, medianPeak } from './measure.ts';

const FEW = 1_000_000;
const MANY = 10_000_000;

/** Ten times the inputs: time and memory must not grow faster than the work. */
export const echoTenMillion: Benchmark = {
  name: 'echo-ten-million',
  about: '10,000,000 inputs, as above; baseline: 1,000,000 of them',
  long: true,
  async run(bench) {
    const few = await writeEchoInputs(bench, FEW);
    const many = await writeEchoInputs(bench, MANY);
    // Measured before and after the long run, so that a machine that slows down affects both.
    const before = await runEcho(bench, few);
    const ours = await runEcho(bench, many);
    const baseline = [before, await runEcho(bench, few), await runEcho(bench, few)];
    const bareWall = median(baseline.map((run) => run.seconds));
    const growth = ours.seconds / bareWall;
    return [
      {
        what: 'wall time',
        ours: seconds(ours.seconds),
        baseline: seconds(bareWall),
        ratio: times(growth),
        goal: atMost(growth, 11, times),
      },
      memory(ours, medianPeak(baseline)),
    ];
  },
};

function memory(ours: Measured, baseline: number | undefined): Figure {
  const what = 'peak memory of all processes';
  if (ours.peakBytes === undefined || baseline === undefined) {
    return { what, ours: 'not measured: no /proc' };
  }
  const growth = ours.peakBytes / baseline;
  return {
    what,
    ours: megabytes(ours.peakBytes),
    baseline: megabytes(baseline),
    ratio: times(growth),
    goal: atMost(growth, 1.1, times),
  };
}
