import { STATUS } from './exit.ts';
import { say } from './log.ts';

let isRead = true;

/** Listener of the latest command. */
let guard: ((error: NodeJS.ErrnoException) => void) | undefined;

/** True until the reader of standard output closes it, as `head` does. */
export function hasReader(): boolean {
  return isRead;
}

/**
 * Keeps a closed standard output from ending the process: what a command still prints is dropped,
 * and its exit status stays. Returns a function to call at the command's end, which reports other
 * errors, such as a full disk.
 */
export function guardStandardOutput(): () => void {
  let failure: Error | undefined;
  let isEnded = false;
  const report = () => {
    // Commands that write results have reported it, and set the status.
    if (!failure || (process.exitCode ?? STATUS.ok) !== STATUS.ok) return;
    say(`Standard output could not be written: ${failure.message}.`);
    process.exitCode = STATUS.stopped;
  };
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') isRead = false;
    else failure ??= error;
    if (isEnded) report();
  };
  // A program may run many commands, one after the other. After the last, what it printed may fail.
  if (guard) process.stdout.off('error', guard);
  guard = onError;
  process.stdout.on('error', onError);
  return () => {
    isEnded = true;
    report();
  };
}
