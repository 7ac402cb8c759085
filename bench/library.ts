import { join } from 'node:path';
import type { Bench, Benchmark } from './benchmark.ts';
import { builtFile } from './fanfold.ts';
import { atMost, seconds, times } from './format.ts';
import { inTurns, measure, median } from './measure.ts';

const COUNT = 100_000;
const PROGRAM = join(import.meta.dirname, 'peers/p-map.ts');

/** `map` in the program's own process. */
export const library: Benchmark = {
  name: 'library',
  about: '100,000 trivial tasks in one process, 100 at once; baseline: p-map, which keeps nothing',
  async run(bench) {
    const [ours, theirs] = await inTurns(
      3,
      () => secondsOf(bench, ['fanfold', String(COUNT), builtFile('dist/src/index.js')]),
      () => secondsOf(bench, ['p-map', String(COUNT)]),
    );
    const [our, their] = [median(ours), median(theirs)];
    return [
      {
        what: 'connect() and map()',
        ours: seconds(our),
        baseline: seconds(their),
        ratio: times(our / their),
        goal: atMost(our / their, 2, times),
      },
    ];
  },
};

async function secondsOf({ folder, signal }: Bench, args: readonly string[]): Promise<number> {
  const command = { program: process.execPath, args: [PROGRAM, ...args] };
  const { stdout } = await measure(command, { cwd: folder, signal });
  return JSON.parse(stdout).seconds;
}
