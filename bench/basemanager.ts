import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Bench, Benchmark } from './benchmark.ts';
import { atLeast, perSecond, times } from './format.ts';
import { type Command, inTurns, measure, median } from './measure.ts';
import { type ServedDeployment, serveForBench } from './served.ts';

const THEIRS = fileURLToPath(new URL('./basemanager.py', import.meta.url));
const OURS = fileURLToPath(new URL('./served-tasks.ts', import.meta.url));

const CLIENTS = 2;
const CHUNKED = 1_000_000;
const ONE_BY_ONE = 20_000;

/** The task and result queues that Fanfold replaces. See the script for how they are measured. */
export const basemanager: Benchmark = {
  name: 'basemanager',
  about:
    "echo, inputs in memory, a server and 2 clients, from first task to last result; baseline: Python's BaseManager queues, which are in memory and have no chunks",
  async run(bench) {
    if (spawnSync('python3', ['--version']).status !== 0) return { skipped: 'no python3' };
    const theirs = () =>
      rateOf(bench, { program: 'python3', args: [THEIRS, String(ONE_BY_ONE), String(CLIENTS)] });
    const baseline: number[] = [];
    const rates = async (memory: boolean, args: readonly number[]) => {
      await using served = await serveForBench(bench, CLIENTS, { memory });
      const [rate, their] = await inTurns(3, () => ours(bench, served, args), theirs);
      baseline.push(...their);
      return median(rate);
    };
    const chunked = await rates(false, [CHUNKED]);
    const single = await rates(true, [ONE_BY_ONE, 1]);
    const kept = await rates(false, [ONE_BY_ONE, 1]);
    const theirRate = median(baseline.toSorted((a, b) => a - b));
    return [
      figure('default chunks, Fanfold on disk', chunked, theirRate, 50),
      figure('one task a message, both in memory', single, theirRate, 1),
      figure('one task a message, Fanfold on disk', kept, theirRate),
    ];
  },
};

function figure(what: string, ours: number, theirs: number, goal?: number) {
  return {
    what,
    ours: perSecond(ours, 'tasks'),
    baseline: perSecond(theirs, 'tasks'),
    ratio: times(ours / theirs),
    ...(goal === undefined ? {} : { goal: atLeast(ours / theirs, goal, times) }),
  };
}

function ours(
  bench: Bench,
  { url, env, credentials }: ServedDeployment,
  args: readonly number[],
): Promise<number> {
  const keys = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
  const command = { program: process.execPath, args: [OURS, url, ...args.map(String)] };
  return rateOf(bench, command, { ...env, ...keys });
}

/** Runs the program and returns the tasks per second that it measured. */
async function rateOf(bench: Bench, command: Command, env = process.env): Promise<number> {
  const { stdout } = await measure(command, { cwd: bench.folder, signal: bench.signal, env });
  const { tasks, seconds } = JSON.parse(stdout);
  if (typeof tasks === 'number' && typeof seconds === 'number') return tasks / seconds;
  throw new Error(
    `${command.args.join(' ')}: expected the number of tasks and their seconds; got ${stdout}`,
  );
}
