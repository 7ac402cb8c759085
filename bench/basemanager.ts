import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark } from './benchmark.ts';
import { runEcho, writeEchoInputs } from './echo.ts';
import { atLeast, perSecond, times } from './format.ts';
import { inTurns, measure, median } from './measure.ts';

const SCRIPT = fileURLToPath(new URL('./basemanager.py', import.meta.url));
const OUR_COUNT = 1_000_000;
const THEIR_COUNT = 20_000;

/** The task and result queues that Fanfold replaces. The script says how they are measured. */
export const basemanager: Benchmark = {
  name: 'basemanager',
  about: "echo, 2 workers; baseline: Python's BaseManager queues, 2 clients, without their start",
  async run(bench) {
    if (spawnSync('python3', ['--version']).status !== 0) return { skipped: 'no python3' };
    const inputs = await writeEchoInputs(bench, OUR_COUNT);
    const [ours, theirs] = await inTurns(
      3,
      () => runEcho(bench, inputs),
      () => runBaseManager(bench),
    );
    // Theirs from the first task to the last result, ours from the command to its exit.
    const ourRate = OUR_COUNT / median(ours.map((run) => run.seconds));
    const theirRate = THEIR_COUNT / median(theirs);
    return [
      {
        what: 'throughput',
        ours: perSecond(ourRate, 'tasks'),
        baseline: perSecond(theirRate, 'tasks'),
        ratio: times(ourRate / theirRate),
        goal: atLeast(ourRate / theirRate, 50, times),
      },
    ];
  },
};

/** Seconds from its first task to its last result. */
async function runBaseManager(bench: Bench): Promise<number> {
  const { stdout } = await measure(
    { program: 'python3', args: [SCRIPT, String(THEIR_COUNT), '2'] },
    { cwd: bench.folder, signal: bench.signal },
  );
  const { tasks, seconds } = JSON.parse(stdout);
  if (tasks !== THEIR_COUNT || typeof seconds !== 'number') {
    throw new Error(`${SCRIPT}: expected ${THEIR_COUNT} tasks and their seconds, got ${stdout}`);
  }
  return seconds;
}
