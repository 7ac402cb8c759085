import { SIGNAL_STATUS } from './exit.ts';

type Signal = keyof typeof SIGNAL_STATUS;

/** The command was told to stop. */
export class Interrupted extends Error {
  readonly status: number;

  constructor(signal: Signal) {
    super(`stopped by ${signal}`);
    this.status = SIGNAL_STATUS[signal];
  }
}

const END_MS = 1_500;

/**
 * Does the work of a command that takes its time, and sets its exit status: what the work gives, or
 * what says that a signal ended it.
 *
 * @param endMs how long an orderly end may take before it is cut short, in milliseconds
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
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort with `Interrupted`. A second one, or an
 * end that takes too long (a reader of standard output that does not read), ends the process.
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
