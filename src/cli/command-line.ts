import { basename, dirname } from 'node:path';
import { shellWord } from '../inputs/printable.ts';

/** A command of ours, as it can be given to a shell: by its name where that is known, else through npx. */
export function commandLine(args: readonly string[]): string {
  const { argv, env } = process;
  const path = argv[1] ?? '';
  // What a project has installed is on npm's own path alone.
  const installed = basename(path) === 'fanfold' && basename(dirname(path)) !== '.bin';
  const named = installed && env.npm_lifecycle_event === undefined;
  return [...(named ? [] : ['npx']), 'fanfold', ...args].map(shellWord).join(' ');
}
