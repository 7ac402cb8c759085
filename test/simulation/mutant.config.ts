import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defineConfig } from 'vitest/config';
import { brokenFile } from './loaded-mutant.ts';

// Vitest loads sources through Vite, and the processes that its tests start load them through Node.
const { path: broken, load } = brokenFile();
const hook = pathToFileURL(join(import.meta.dirname, 'mutate.ts')).href;
process.env.NODE_OPTIONS = `${process.env.NODE_OPTIONS ?? ''} --import ${hook}`;

/** Test files with a mutant in place of the pipeline: `vitest run --config FILE TEST`. */
export default defineConfig({
  plugins: [
    {
      name: 'mutant',
      enforce: 'pre',
      load: (id) => (id === broken ? load() : null),
    },
  ],
  test: {
    include: ['test/**/*.test.ts'],
    bail: 1,
    // A cache by the file's content alone would give one mutant's source to another.
    fsModuleCache: false,
    // A test that hangs has caught its mutant.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
