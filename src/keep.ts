/** Node's longest timer, in milliseconds: it only has to exist. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Keeps this process alive until a promise settles. If tasks run in this process or its children,
 * nothing else does. The sockets, timers and processes of an idle place must not, since a program
 * that has its results may end without `close()`.
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

/** Calls `close` when this process has nothing else to do; returns a function that undoes this. */
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
