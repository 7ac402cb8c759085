// Global setup: bundles the command line into one file. Loading its five hundred modules is most of
// what a command costs, and tests start hundreds of commands.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { FANFOLD, REPOSITORY } from './cli/command.ts';

/** Keeps the place of each source file, beside which Fanfold finds its worker processes and threads. */
const places: Plugin = {
  name: 'places',
  setup({ onLoad }) {
    onLoad({ filter: /\/(src|functions)\/.*\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.filename', JSON.stringify(path))
        .replaceAll('import.meta.main', 'false'),
      loader: 'ts',
    }));
  },
};

async function bundle(): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [join(REPOSITORY, 'bin/fanfold.js')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // jsonc-parser's other form requires its files in a way that no bundler sees.
    mainFields: ['module', 'main'],
    external: ['esbuild', 'fanfold/tasks'],
    // CommonJS packages call it.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    plugins: [places],
    logLevel: 'warning',
  });
  mkdirSync(dirname(FANFOLD), { recursive: true });
  // Commands of another test run must not read half a file.
  const written = `${FANFOLD}.${process.pid}`;
  writeFileSync(written, outputFiles[0]?.contents ?? '');
  renameSync(written, FANFOLD);
}

export default async function setup(project: TestProject): Promise<void> {
  project.onTestsRerun(bundle);
  await bundle();
}
