/**
 * A worker process leads a group of its own, to which belongs what its tasks start: browsers,
 * converters, shells. So all of it is ended with the worker, however that ends. What a terminal's
 * keys send does not reach such a group: Ctrl-C is passed on by the supervisor as it sees fit, and
 * Ctrl-Z here.
 */
const alive = new Set<number>();

/** Windows has no groups: there the worker alone is ended. */
export const HAS_GROUPS = process.platform !== 'win32';

/** Ends a worker and its group with this process, unless this process is killed. */
export function endWithThisProcess(pid: number): void {
  // One listener for all: Node warns of many.
  if (alive.size === 0) {
    process.on('exit', killAll);
    if (HAS_GROUPS) process.on('SIGTSTP', suspend);
  }
  alive.add(pid);
}

/** The worker has ended: what is left of its group is killed. */
export function hasEnded(pid: number): void {
  killGroup(pid);
  if (!alive.delete(pid) || alive.size > 0) return;
  process.off('exit', killAll);
  process.off('SIGTSTP', suspend);
}

export function killGroup(pid: number): void {
  signalGroup(pid, 'SIGKILL');
}

function killAll(): void {
  for (const pid of alive) killGroup(pid);
}

/** Stops all workers and this process, as Ctrl-Z does with what has no listener for it. */
function suspend(): void {
  // Another listener may want to go on.
  if (process.listenerCount('SIGTSTP') > 1) return;
  for (const pid of alive) signalGroup(pid, 'SIGSTOP');
  process.once('SIGCONT', () => {
    for (const pid of alive) signalGroup(pid, 'SIGCONT');
  });
  process.kill(process.pid, 'SIGSTOP');
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(HAS_GROUPS ? -pid : pid, signal);
  } catch {
    // Nobody is left.
  }
}
