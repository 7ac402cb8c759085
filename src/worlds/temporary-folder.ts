import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Age at which a folder may be taken for one that a killed process has left, in milliseconds. A
 * container may share the folder of temporary files and the host's name, but not its process ids.
 */
const LEFT_MS = 86_400_000;

/** Creates a temporary folder of this process, and deletes those that killed processes have left. */
export function makeTemporaryFolder(kind: string): string {
  const ofHost = `${kind}-${hostname()}-`;
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(ofHost)) continue;
    const [, pid] = /^(\d+)-\w+$/.exec(name.slice(ofHost.length)) ?? [];
    if (pid !== undefined && !isAlive(Number(pid))) removeIfOld(join(tmpdir(), name));
  }
  return mkdtempSync(join(tmpdir(), `${ofHost}${process.pid}-`));
}

function removeIfOld(folder: string): void {
  try {
    const isOld = Date.now() - statSync(folder).mtimeMs > LEFT_MS;
    if (isOld) rmSync(folder, { recursive: true, force: true });
  } catch {
    // It belongs to another user, or another process has just deleted it.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Only a process that exists can refuse a signal.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
