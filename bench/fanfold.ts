import { fileURLToPath } from 'node:url';
import type { Command } from './measure.ts';

const BIN = fileURLToPath(new URL('../bin/fanfold.js', import.meta.url));

/** The command as a user starts it, on the Node that runs the bench: the parent of its workers. */
export function fanfold(args: readonly string[]): Command {
  return { program: process.execPath, args: [BIN, ...args] };
}
