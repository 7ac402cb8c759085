import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { fanfold } from './fanfold.ts';
import { atMost, milliseconds, times } from './format.ts';
import { type Command, inTurns, measureProcessor, median } from './measure.ts';

/** Runs of a command in one measurement: one alone is too short. */
const TIMES = 8;

/** Commands that do little: what each costs before it begins. */
export const start: Benchmark = {
  name: 'start',
  about: 'processor time of commands that do little; baseline: `node -e 0`',
  async run(bench) {
    return [await figure(bench, ['--help'], 1.5), await figure(bench, ['tasks'], 3)];
  },
};

async function figure(bench: Bench, args: readonly string[], goal: number): Promise<Figure> {
  const bare = { program: process.execPath, args: ['-e', '0'] };
  const measured = (command: Command) =>
    measureProcessor(command, { cwd: bench.folder, signal: bench.signal, times: TIMES });
  const [ours, baseline] = await inTurns(
    5,
    () => measured(fanfold(args)),
    () => measured(bare),
  );
  const our = median(ours.map((run) => run.processorSeconds));
  const theirs = median(baseline.map((run) => run.processorSeconds));
  return {
    what: `fanfold ${args.join(' ')}, processor`,
    ours: milliseconds(our),
    baseline: milliseconds(theirs),
    ratio: times(our / theirs),
    goal: atMost(our / theirs, goal, times),
  };
}
