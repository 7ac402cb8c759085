// Breaks one node of the pipeline while Node loads it: `node --import test/simulation/mutate.ts`, with
// the mutant's name in FANFOLD_MUTANT.
import { registerHooks } from 'node:module';
import { brokenFile } from './loaded-mutant.ts';

const { url: broken, load } = brokenFile();

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    return url === broken ? { ...loaded, source: load() } : loaded;
  },
});
