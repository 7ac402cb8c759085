import { join } from 'node:path';
import type { Benchmark } from './benchmark.ts';
import { checkEchoResults, runEcho, writeEchoInputs } from './echo.ts';
import { fanfold } from './fanfold.ts';
import { atMost, perSecond, seconds, times } from './format.ts';
import { inTurns, measure, median } from './measure.ts';
import { serveForBench } from './served.ts';

const COUNT = 1_000_000;

/** Cost of separate processes for queues, workers and collector, and of storing all on disk. */
export const serveMillion: Benchmark = {
  name: 'serve-million',
  about:
    '1,000,000 inputs, file to file, through serve (on disk) and two work processes; baseline: the local run',
  async run(bench) {
    const inputs = await writeEchoInputs(bench, COUNT);
    const output = join(bench.folder, 'served.jsonl');
    await using served = await serveForBench(bench, 2);
    const line = [
      'run',
      'echo',
      '--input',
      inputs.path,
      '--output',
      output,
      '--overwrite',
      '--quiet',
    ];
    const command = fanfold([...line, '--endpoint', served.url]);
    const { signal, folder: cwd } = bench;
    const [ours, local] = await inTurns(
      3,
      async () => {
        const measured = await measure(command, { cwd, signal, env: served.env });
        await checkEchoResults(output, COUNT);
        return measured;
      },
      () => runEcho(bench, inputs),
    );
    const wall = median(ours.map((run) => run.seconds));
    const localWall = median(local.map((run) => run.seconds));
    return [
      {
        what: 'wall time',
        ours: seconds(wall),
        baseline: seconds(localWall),
        ratio: times(wall / localWall),
        goal: atMost(wall / localWall, 1.3, times),
      },
      {
        what: 'throughput',
        ours: perSecond(COUNT / wall, 'tasks'),
        baseline: perSecond(COUNT / localWall, 'tasks'),
      },
    ];
  },
};
