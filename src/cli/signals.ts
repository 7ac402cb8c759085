import { SIGNAL_STATUS } from './exit.ts';

type Signal = keyof typeof SIGNAL_STATUS;

/** The command received a signal to stop. */
export class Interrupted extends Error {
  readonly status: number;

  constructor(signal: Signal) {
    super(`stopped by ${signal}`);
    this.status = SIGNAL_STATUS[signal];
  }
}

const END_MS = 1_500;

/**
 * Runs a long command and sets the exit status: the one that it returns, or that of the signal that
 * ended it.
 *
 * @param endMs time limit for an orderly end after a signal, in milliseconds
 */
export async function untilSignal(
  work: (signal: AbortSignal) => Promise<number>,
  endMs = END_MS,
): Promise<void> {
  const { signal, stop } = onSignals(endMs);
  try {
    process.exitCode = await work(signal);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    process.exitCode = error.status;
  } finally {
    stop();
  }
}

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort with `Interrupted`. The process exits on
 * a second signal, or if the end takes too long, such as when no one reads standard output.
 */
function onSignals(endMs: number): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const handle = (name: NodeJS.Signals) => {
    const status = SIGNAL_STATUS[name as Signal];
    if (controller.signal.aborted) process.exit(status);
    controller.abort(new Interrupted(name as Signal));
    timer = setTimeout(() => process.exit(status), endMs);
    timer.unref();
  };
  const names = Object.keys(SIGNAL_STATUS) as Signal[];
  for (const name of names) process.on(name, handle);
  return {
    signal: controller.signal,
    stop() {
      clearTimeout(timer);
      for (const name of names) process.off(name, handle);
    },
  };
}
