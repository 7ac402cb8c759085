// Breaks one line of the pipeline while it is loaded: `node --import test/simulate/mutate.ts`, with
// the mutant's name in FANFOLD_MUTANT.
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MUTANTS } from './mutants.ts';

const mutant = MUTANTS.find(({ name }) => name === process.env.FANFOLD_MUTANT);
if (mutant === undefined) throw new Error(`There is no mutant "${process.env.FANFOLD_MUTANT}".`);
const { file, find, replace } = mutant;
const broken = pathToFileURL(join(import.meta.dirname, '../..', file)).href;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (url !== broken) return loaded;
    return { ...loaded, source: String(loaded.source).replace(find, () => replace) };
  },
});
