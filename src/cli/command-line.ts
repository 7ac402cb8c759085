import { basename, dirname } from 'node:path';
import { shellWord } from '../inputs/printable.ts';

/** A fanfold command for a shell: by its name if that is on the PATH, otherwise through npx. */
export function commandLine(args: readonly string[]): string {
  const { argv, env } = process;
  const path = argv[1] ?? '';
  // A project's own installation is only on the PATH that npm sets.
  const installed = basename(path) === 'fanfold' && basename(dirname(path)) !== '.bin';
  const named = installed && env.npm_lifecycle_event === undefined;
  return [...(named ? [] : ['npx']), 'fanfold', ...args].map(shellWord).join(' ');
}
