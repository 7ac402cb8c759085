import type { Benchmark } from './benchmark.ts';
import { runEcho, writeEchoInputs } from './echo.ts';
import { atMost, seconds, times } from './format.ts';
import { inTurns, measureProcessor, median } from './measure.ts';

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
        goal: atMost(wall, 0.35, seconds),
      },
      {
        what: 'processor',
        ours: seconds(processor),
        baseline: seconds(bareProcessor),
        ratio: times(processor / bareProcessor),
        goal: atMost(processor, 0.5, seconds),
      },
    ];
  },
};
