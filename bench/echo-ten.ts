import type { Benchmark } from './benchmark.ts';
import { runEcho, writeEchoInputs } from './echo.ts';
import { seconds, times, under } from './format.ts';
import { inTurns, measure, median } from './measure.ts';

/** Ten inputs: the cost of a run before its first task and after its last. */
export const echoTen: Benchmark = {
  name: 'echo-ten',
  about: '10 inputs, from command to exit, 2 workers; baseline: `node -e 0`',
  async run(bench) {
    const inputs = await writeEchoInputs(bench, 10);
    const bare = { program: process.execPath, args: ['-e', '0'] };
    const [ours, baseline] = await inTurns(
      5,
      () => runEcho(bench, inputs),
      () => measure(bare, { cwd: bench.folder, signal: bench.signal }),
    );
    const wall = median(ours.map((run) => run.seconds));
    const bareWall = median(baseline.map((run) => run.seconds));
    return [
      {
        what: 'wall time',
        ours: seconds(wall),
        baseline: seconds(bareWall),
        ratio: times(wall / bareWall),
        goal: under(wall, 1, seconds),
      },
    ];
  },
};
