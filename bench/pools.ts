import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { writeEchoInputs } from './echo.ts';
import { builtFile, fanfold } from './fanfold.ts';
import { atMost, seconds, times } from './format.ts';
import { type Command, inTurns, measureProcessor, median, type Timed } from './measure.ts';

const POOL = join(import.meta.dirname, 'peers/pool.py');
const PISCINA = join(import.meta.dirname, 'peers/piscina.ts');

const SLEEPS = 200;
const SLEEP_SECONDS = 0.05;
const SPINS = 5_000;
const SPIN_MS = 5;

/** Pools of processes or threads on one machine, which lose their tasks when they die. */
export const pools: Benchmark = {
  name: 'pools',
  about:
    'whole commands, 2 workers; baselines: piscina, multiprocessing.Pool and ProcessPoolExecutor, which keep their tasks in memory',
  async run(bench) {
    const ten = (await writeEchoInputs(bench, 10)).path;
    const million = (await writeEchoInputs(bench, 1_000_000)).path;
    const sleeps = linesOf(bench, 'sleeps', SLEEPS, JSON.stringify({ seconds: SLEEP_SECONDS }));
    const spins = linesOf(bench, 'spins', SPINS, String(SPIN_MS));
    const spin = ownTask();
    const out = join(bench.folder, 'peer.jsonl');
    const sleepArgs = ['sleep', String(SLEEPS), String(SLEEP_SECONDS)];
    const ideal = (SLEEPS * SLEEP_SECONDS) / 2;
    const processor = { of: 'processor' as const };
    return [
      await row(
        bench,
        '10 inputs, piscina',
        ours('echo', ten),
        piscina('echo', ten, out),
        processor,
      ),
      ...(await python(bench, '10 inputs', ours('echo', ten), ['echo', ten, out, '1'], processor)),
      await row(bench, '200 sleeps, piscina', ours('sleep', sleeps), piscina(...sleepArgs), {
        goal: ideal + 0.15,
      }),
      ...(await python(bench, '200 sleeps', ours('sleep', sleeps), sleepArgs, {})),
      await row(
        bench,
        '5,000 × 5 ms busy, piscina',
        ours('spin', spins, '--tasks', spin),
        piscina('spin', String(SPINS), String(SPIN_MS)),
        { ratio: 1.05, rounds: 1 },
      ),
      ...(await python(
        bench,
        'a million echoes',
        ours('echo', million),
        ['echo', million, out, '1000'],
        { ratio: 1 / 1.5, rounds: 1 },
      )),
    ];
  },
};

interface Compared {
  /** @default wall time */
  of?: 'processor';
  /** Longest time, in seconds. */
  goal?: number;
  /** Highest ratio. */
  ratio?: number;
  rounds?: number;
}

async function row(
  bench: Bench,
  what: string,
  our: Command,
  their: Command,
  { of, goal, ratio, rounds = 3 }: Compared,
): Promise<Figure> {
  const run = (command: Command) =>
    measureProcessor(command, { cwd: bench.folder, signal: bench.signal });
  const [mine, theirs] = await inTurns(
    rounds,
    () => run(our),
    () => run(their),
  );
  const time = (runs: readonly Timed[]) =>
    median(runs.map((one) => (of === 'processor' ? one.processorSeconds : one.seconds)));
  const [a, b] = [time(mine), time(theirs)];
  const limits = [
    ...(goal === undefined ? [] : [atMost(a, goal, seconds)]),
    ...(ratio === undefined ? [] : [atMost(a / b, ratio, times)]),
  ];
  const [first] = limits;
  return {
    what: `${what}, ${of ?? 'wall'}`,
    ours: seconds(a),
    baseline: seconds(b),
    ratio: times(a / b),
    ...(first === undefined ? {} : { goal: first }),
  };
}

/** The row of each of Python's pools; none without Python. */
async function python(
  bench: Bench,
  what: string,
  our: Command,
  args: readonly string[],
  compared: Compared,
): Promise<Figure[]> {
  if (spawnSync('python3', ['--version']).status !== 0) return [];
  const of = (kind: string) => ({ program: 'python3', args: [POOL, kind, ...args] });
  return [
    await row(bench, `${what}, Pool`, our, of('pool'), compared),
    await row(bench, `${what}, Executor`, our, of('executor'), { ...compared, rounds: 1 }),
  ];
}

function ours(task: string, input: string, ...more: string[]): Command {
  const output = join(input, '../ours.jsonl');
  const line = ['run', task, '--input', input, '--output', output, '--overwrite', '--quiet'];
  return fanfold([...line, '--workers', '2', ...more]);
}

function piscina(...args: string[]): Command {
  return { program: process.execPath, args: [PISCINA, ...args] };
}

function linesOf(bench: Bench, name: string, count: number, line: string): string {
  const path = join(bench.folder, `${name}.jsonl`);
  writeFileSync(path, `${line}\n`.repeat(count));
  return path;
}

/** Writes a tasks module that imports the built package, as users' modules do. */
function ownTask(): string {
  const path = builtFile('bench-tasks.mjs');
  writeFileSync(
    path,
    `import { defineTask } from 'fanfold';
     export const spin = defineTask({
       name: 'spin',
       run(milliseconds) {
         const before = process.threadCpuUsage();
         for (let used = 0; used < milliseconds * 1000; ) {
           const { user, system } = process.threadCpuUsage(before);
           used = user + system;
         }
         return milliseconds;
       },
     });\n`,
  );
  return path;
}
