// Simulates each mutant, two at a time, until it is caught; fails when one is not.
import { MUTANTS } from './mutants.ts';
import { simulation } from './simulation.ts';

const RUNS = 200;
const SEED = 1;

const left = process.argv[2]
  ? MUTANTS.filter(({ name }) => name.includes(process.argv[2] ?? ''))
  : [...MUTANTS];

async function work(): Promise<void> {
  for (let mutant = left.shift(); mutant; mutant = left.shift()) {
    const args = ['--seed', SEED, '--runs', RUNS, '--shrink', 0];
    const { text, failed } = await simulation(args, { mutant: mutant.name });
    const [, runs = '?'] = /: (\d+) runs/.exec(text) ?? [];
    // A simulation that fails for another reason has caught nothing.
    const caught = failed ? /^(?:safety|liveness): .*/m.exec(text)?.[0] : undefined;
    const why = (caught ?? text.slice(-300)).slice(0, 100);
    console.log(`${caught ? `caught in run ${runs}` : 'NOT CAUGHT'}: ${mutant.name} (${why})`);
    if (!caught) process.exitCode = 1;
  }
}

await Promise.all([work(), work()]);
