/**
 * Worker processes that lead a process group each. Programs that tasks start, such as browsers,
 * converters and shells, belong to the group and are killed with the worker, however it ends. The
 * terminal's keys don't reach such a group: the supervisor forwards Ctrl-C if it decides to, and
 * this module forwards Ctrl-Z.
 */
const alive = new Set<number>();

/** Windows has no process groups: there, only the worker itself is killed. */
export const HAS_GROUPS = process.platform !== 'win32';

/** Kills a worker and its group when this process exits, unless this process is killed. */
export function endWithThisProcess(pid: number): void {
  // One listener for all workers: Node warns about many.
  if (alive.size === 0) {
    process.on('exit', killAll);
    if (HAS_GROUPS) process.on('SIGTSTP', suspend);
  }
  alive.add(pid);
}

/** Kills what is left of the group of a worker that has ended. */
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

/** Suspends all workers and this process, as Ctrl-Z does if a process has no listener for it. */
function suspend(): void {
  // Another listener may want to keep the process running.
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
    // The group has no process left.
  }
}
