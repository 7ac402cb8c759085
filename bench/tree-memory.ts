import { readdirSync, readFileSync } from 'node:fs';

const SAMPLE_MS = 100;

/** Kernels have pages of this size on x64 and arm64 alike, unless they are built for larger ones. */
const PAGE_BYTES = 4_096;

/**
 * Follows the memory of all processes below one, as the sum of what each has resident: pages that
 * they share count for each. Undefined if there is no /proc.
 */
export function watchTree(root: number): { bytes(): number | undefined; stop(): void } {
  let peak: number | undefined;
  const sample = () => {
    const now = residentBelow(root);
    if (now !== undefined) peak = Math.max(peak ?? 0, now);
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return { bytes: () => peak, stop: () => clearInterval(timer) };
}

function residentBelow(root: number): number | undefined {
  let pids: number[];
  try {
    pids = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return undefined;
  }
  const parents = new Map(pids.map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && (parents.get(pid) === root || isBelow(parents.get(pid)));
  const below = pids.filter(isBelow);
  return below.reduce((sum, pid) => sum + residentOf(pid), 0);
}

function parentOf(pid: number): number | undefined {
  const fields = read(`/proc/${pid}/stat`);
  // The program's name, in parentheses, may contain anything.
  const [, parent] = fields.slice(fields.lastIndexOf(')') + 2).split(' ');
  return parent === undefined ? undefined : Number(parent);
}

function residentOf(pid: number): number {
  const [, resident = '0'] = read(`/proc/${pid}/statm`).split(' ');
  return Number(resident) * PAGE_BYTES;
}

/** The file's text; none if the process has just ended. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
