import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildPackage } from '../scripts/build.ts';
import type { Command } from './measure.ts';

/** Folder in which the package is built: below the repository, so that it finds its dependencies. */
const DIST = join(import.meta.dirname, '../dist');

let built = '';

/** Builds the package, as users install it, for the commands of this bench. */
export async function buildForBench(): Promise<void> {
  mkdirSync(DIST, { recursive: true });
  built = mkdtempSync(join(DIST, 'bench-'));
  process.on('exit', () => rmSync(built, { recursive: true, force: true }));
  await buildPackage(built);
}

/** The command as a user starts it, on the Node that runs the bench: the parent of its workers. */
export function fanfold(args: readonly string[]): Command {
  return { program: process.execPath, args: [join(built, 'bin/fanfold.js'), ...args] };
}

/** Path of a file of the built package, such as `dist/src/index.js`. */
export function builtFile(path: string): string {
  return join(built, path);
}
