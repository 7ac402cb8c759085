import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const MAIN = join(ROOT, 'test/simulation/main.ts');

/** The output of a process, and whether it failed. */
export interface Ended {
  text: string;
  failed: boolean;
}

/** Runs a simulation in a separate process, because it replaces time. */
export function simulation(
  args: readonly (string | number)[],
  { hooks = [], env = {} }: { hooks?: string[]; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  return node([...hooks, MAIN, ...args.map(String)], env);
}

/** Runs Node in the repository's folder. */
export async function node(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
    return { text: stdout + stderr, failed: false };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { text: stdout + stderr, failed: true };
  }
}
