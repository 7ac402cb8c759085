// Checks that each mutant is caught, one per processor at a time; fails if one is not.
//   npm run simulate:mutants -- [--note] [--runs N] [--seconds N --seed S] [pattern of names]
// It first replays the scenario that last caught a mutant; if that no longer catches it, it
// simulates all. --note records these scenarios. With --seconds, no mutant is begun after that
// time; --seed shuffles them, so that each commit tries others.
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LOADED, MUTANT } from './loaded-mutant.ts';
import type { Mutant } from './mutants/mutant.ts';
import { MUTANTS } from './mutants.ts';
import { node, simulation } from './simulation.ts';

/** The seed of marks.test.ts, which proves that the pipeline itself passes these runs. */
const SEED = 1;

const HOOK = join(import.meta.dirname, 'mutate.ts');
const CONFIG = join(import.meta.dirname, 'mutant.config.ts');
const VITEST = join(import.meta.dirname, '../../node_modules/vitest/vitest.mjs');
const NOTED = join(import.meta.dirname, 'mutants/caught-in.json');

/** The catch of a mutant: a run of the simulation or a test file, and the failure. */
interface Catch {
  where: string;
  what: string;
  run?: number;
}

const { values, positionals } = parseArgs({
  options: {
    note: { type: 'boolean', default: false },
    /** Number of scenarios to simulate if none is known to catch a mutant. */
    runs: { type: 'string', default: '200' },
    seconds: { type: 'string', default: 'Infinity' },
    seed: { type: 'string' },
  },
  allowPositionals: true,
});
const [pattern = ''] = positionals;
const noted: Record<string, number> = JSON.parse(readFileSync(NOTED, 'utf8'));
const folder = mkdtempSync(join(tmpdir(), 'fanfold-mutants-'));
// Loading the SDK takes longer than most mutants need.
process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');
const left = MUTANTS.filter(({ name }) => new RegExp(pattern).test(name));
// Tests take longest, so they start first.
const place = ({ name, caughtBy }: Mutant): string =>
  values.seed === undefined
    ? String(caughtBy === undefined)
    : createHash('sha256').update(`${values.seed} ${name}`).digest('hex');
left.sort((one, other) => place(one).localeCompare(place(other)));

const endsAt = performance.now() + Number(values.seconds) * 1000;

async function work(): Promise<void> {
  while (performance.now() < endsAt) {
    const mutant = left.shift();
    if (mutant === undefined) return;
    const began = performance.now();
    const caught = await caughtHow(mutant).catch((error: Error) => error);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    if (caught instanceof Error) {
      process.exitCode = 1;
      console.log(`NOT CAUGHT: ${mutant.name} (${seconds} s): ${caught.message}`);
      continue;
    }
    if (caught.run !== undefined) noted[mutant.name] = caught.run;
    console.log(`caught in ${caught.where}: ${mutant.name} (${seconds} s: ${caught.what})`);
  }
}

/** @throws Error when it is not caught */
function caughtHow(mutant: Mutant): Promise<Catch> {
  return mutant.caughtBy === undefined ? simulated(mutant) : tested(mutant, mutant.caughtBy);
}

async function simulated({ name, kind = 'plain' }: Mutant): Promise<Catch> {
  const known = noted[name];
  const more = kind === 'plain' ? [] : [`--${kind}`];
  if (known !== undefined) {
    const caught = await simulate(name, [...more, '--path', known - 1]);
    if (caught) return { ...caught, run: known, where: `run ${known}, as noted` };
  }
  const caught = await simulate(name, [...more, '--runs', values.runs]);
  if (!caught) throw new Error(`${values.runs} runs of the simulation let it through.`);
  return { ...caught, where: `run ${caught.run}` };
}

async function simulate(name: string, args: (string | number)[]): Promise<Catch | undefined> {
  const note = join(folder, `${MUTANTS.findIndex((mutant) => mutant.name === name)}`);
  const { text, failed } = await simulation(['--seed', SEED, '--shrink', 0, ...args], {
    hooks: ['--import', HOOK],
    env: { [MUTANT]: name, [LOADED]: note },
  });
  if (!existsSync(note)) throw new Error(`The simulation did not load it: ${text.slice(-300)}`);
  if (!failed) return undefined;
  // A simulation that fails for another reason has caught nothing.
  const what = /^(?:safety|liveness): .*/m.exec(text)?.[0];
  if (what === undefined) throw new Error(`The simulation failed: ${text.slice(-300)}`);
  const [, runs] = /: (\d+) runs/.exec(text) ?? [];
  return { where: '', what: what.slice(0, 100), run: Number(runs) };
}

async function tested({ name }: Mutant, file: string): Promise<Catch> {
  const note = join(folder, `${MUTANTS.findIndex((mutant) => mutant.name === name)}`);
  const report = `${note}.json`;
  const reported = ['--reporter=json', `--outputFile=${report}`];
  const { text } = await node([VITEST, 'run', '--config', CONFIG, ...reported, file], {
    [MUTANT]: name,
    [LOADED]: note,
  });
  if (!existsSync(note)) throw new Error(`${file} did not load it: ${text.slice(-300)}`);
  const failure = failureIn(JSON.parse(readFileSync(report, 'utf8')) as Report);
  // A file that can't be loaded fails without a test.
  if (failure === undefined) throw new Error(`No test of ${file} fails: ${text.slice(-300)}`);
  return { where: file, what: failure.slice(0, 100) };
}

/** The part of Vitest's report that is used here. */
interface Report {
  testResults: { assertionResults: { status: string; fullName: string }[] }[];
}

function failureIn({ testResults }: Report): string | undefined {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  return tests.find(({ status }) => status === 'failed')?.fullName;
}

try {
  await Promise.all(Array.from({ length: availableParallelism() }, work));
} finally {
  rmSync(folder, { recursive: true });
}
if (left.length > 0) console.log(`${left.length} mutants were not tried within the time.`);
if (values.note) writeFileSync(NOTED, `${JSON.stringify(noted, null, 2)}\n`);
