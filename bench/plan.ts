import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawNormal, randomFrom } from '../src/planning/random.ts';
import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { writeEchoInputs } from './echo.ts';
import { fanfold } from './fanfold.ts';
import { atLeast, percent, under } from './format.ts';
import { measure } from './measure.ts';

const ROUNDS = 4;
const TASKS = fileURLToPath(new URL('./planned-tasks.ts', import.meta.url));

/** Differences between plans for this machine and the runs that follow them. */
export const plan: Benchmark = {
  name: 'plan',
  about: `a plan, then the run, ${ROUNDS} times for each of three kinds of tasks, 2 workers: the difference of the times, and how many runs were within the plan's range`,
  long: true,
  async run(bench) {
    const echo = await writeEchoInputs(bench, 1_500_000);
    const mixes = [
      ['echo', ['echo', '--input', echo.path]],
      ['pauses of 20 ms', ['pause', '--range', '500', '--tasks', TASKS]],
      ['computing, long tail', ['compute', '--input', tailed(bench), '--tasks', TASKS]],
    ] as const;
    const figures: Figure[] = [];
    let within = 0;
    for (const [what, args] of mixes) {
      const differences: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const { ratio, isWithin } = await compare(bench, args);
        differences.push(Math.abs(ratio - 1));
        if (isWithin) within++;
      }
      const worst = Math.max(...differences);
      const all = differences.map((one) => percent(one)).join(', ');
      figures.push({ what, ours: all, goal: under(worst, 0.15, percent) });
    }
    const share = within / (ROUNDS * mixes.length);
    figures.push({
      what: 'within the range',
      ours: percent(share),
      goal: atLeast(share, 0.8, percent),
    });
    return figures;
  },
};

/** Inputs whose durations have a long tail: a lognormal distribution. */
function tailed({ folder }: Bench): string {
  const random = randomFrom(1);
  const inputs = Array.from({ length: 1_500 }, () => ({
    ms: Math.exp(1 + drawNormal(random)),
  }));
  const path = join(folder, 'tailed.jsonl');
  writeFileSync(path, inputs.map((input) => `${JSON.stringify(input)}\n`).join(''));
  return path;
}

/** Plans a run and does it. The time of both includes the start of the processes. */
async function compare(bench: Bench, args: readonly string[]) {
  const { folder: cwd, signal } = bench;
  const options = { cwd, signal };
  const planned = await measure(fanfold(['plan', ...args, '--workers', '2', '--json']), options);
  const { seconds, startSeconds } = JSON.parse(planned.stdout);
  const output = ['--output', join(cwd, 'output.jsonl'), '--overwrite', '--quiet'];
  const run = await measure(fanfold(['run', ...args, '--workers', '2', ...output]), options);
  const { low, likely, high } = seconds;
  const truth = run.seconds - startSeconds;
  return {
    ratio: (likely + startSeconds) / run.seconds,
    isWithin: low <= truth && truth <= high,
  };
}
