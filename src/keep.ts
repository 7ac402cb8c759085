/** Node's longest timer, in milliseconds: it only has to be there. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Keeps this process until a promise settles. Nothing else does where tasks run in this process or
 * below it: sockets, timers and processes of a place that is idle must not, since a program that has
 * got its results may end without `close()`.
 */
export async function keep<T>(awaited: Promise<T>): Promise<T> {
  const timer = setTimeout(() => {}, LONGEST_MS);
  try {
    return await awaited;
  } finally {
    clearTimeout(timer);
  }
}

const open = new Set<() => Promise<void>>();

/** Has something closed when this process has nothing else to do; gives what undoes that. */
export function closeWhenIdle(close: () => Promise<void>): () => void {
  if (open.size === 0) process.on('beforeExit', closeAll);
  open.add(close);
  return () => {
    open.delete(close);
    if (open.size === 0) process.off('beforeExit', closeAll);
  };
}

function closeAll(): void {
  for (const close of open) void close();
}
