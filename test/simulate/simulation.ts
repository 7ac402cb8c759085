import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MAIN = join(import.meta.dirname, '../../src/simulate/main.ts');

/** What a simulation said and how it ended. It runs in a process of its own: it takes over time. */
export async function simulation(
  args: readonly (string | number)[],
  { mutant }: { mutant?: string } = {},
): Promise<{ text: string; failed: boolean }> {
  const hook = mutant === undefined ? [] : ['--import', join(import.meta.dirname, 'mutate.ts')];
  const env = { ...process.env, ...(mutant === undefined ? {} : { FANFOLD_MUTANT: mutant }) };
  const command = [...hook, MAIN, ...args.map(String)];
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, command, {
      env,
      maxBuffer: 64 * 1024 * 1024,
    });
    return { text: stdout + stderr, failed: false };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { text: stdout + stderr, failed: true };
  }
}
