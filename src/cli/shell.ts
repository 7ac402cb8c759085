import { basename } from 'node:path';

/** As a shell reads it. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command of ours, as it can be given to a shell: by its name where it was, else through npx. */
export function commandLine(args: readonly string[]): string {
  const { argv, env } = process;
  const named = basename(argv[1] ?? '') === 'fanfold' && env.npm_lifecycle_event === undefined;
  return [...(named ? [] : ['npx']), 'fanfold', ...args].map(shellWord).join(' ');
}
