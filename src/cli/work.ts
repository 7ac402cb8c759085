import type { Command } from 'commander';
import { type SlowAttempt, type Work, work } from '../index.ts';
import { STATUS } from './exit.ts';
import { count, say } from './log.ts';
import { addLogLevel, type LogLevel, prints } from './log-level.ts';
import { Interrupted, untilSignal } from './signals.ts';
import { workersOf } from './target.ts';
import { printTaskLine } from './task-log.ts';
import { findTasksModule } from './tasks-module.ts';
import { showWork } from './work-progress.ts';

interface WorkFlags {
  endpoint?: string;
  stack?: string;
  tasks?: string;
  workers?: string;
  untilEmpty?: boolean;
  quiet?: boolean;
  logLevel: LogLevel;
}

/** Time limit for the shutdown, in which workers finish the current input or send it back. */
const END_MS = 5_000;

/** `fanfold work`: runs workers on this machine for a server or a stack. */
export function addWork(program: Command): void {
  addLogLevel(
    program.command('work'),
    'those of tasks, from this level; info adds progress and attempts over a second to warn and error; debug adds other attempts',
    'info',
  )
    .description(
      'receive chunks from a `fanfold serve` or a stack, and run them in worker processes on this machine',
    )
    .option('--endpoint <url>', 'the address of the server (default: the one in FANFOLD_JOIN)')
    .option(
      '--stack <name>',
      'receive chunks from the stack with this name on AWS instead of a server',
    )
    .option('--tasks <module>', 'the tasks module')
    .option('--workers <n>', 'worker processes (default: one per core)')
    .option('--until-empty', 'end when no chunk is left: none waiting, delayed or in progress')
    .option('--quiet', 'the same as --log-level warn')
    .action((flags: WorkFlags) => untilSignal((signal) => run(flags, signal), END_MS));
}

async function run(flags: WorkFlags, signal: AbortSignal): Promise<number> {
  const { endpoint, stack, untilEmpty = false, logLevel } = flags;
  const least = flags.quiet && prints(logLevel, 'info') ? 'warn' : logLevel;
  const quiet = !prints(least, 'info');
  const workers = workersOf(flags.workers);
  const module = findTasksModule(flags.tasks);
  let shown: ReturnType<typeof showWork> | undefined;
  const report = (message: string) => (shown ? shown.say(message) : say(message));
  const onWarning = prints(least, 'warn') ? report : () => {};
  const slowMs = prints(least, 'debug') ? 0 : undefined;
  await using working = await work({
    ...{ endpoint, stack, tasks: module.path, workers, untilEmpty, onWarning, slowMs },
    onLog: (line) => printTaskLine(line, least),
    ...(quiet ? {} : { onSlow: (attempt) => report(lineOf(attempt)) }),
  });
  signal.throwIfAborted();
  if (!quiet) {
    say(beginningOf(working));
    shown = showWork(working);
  }
  try {
    await Promise.race([working.ended, untilAborted(signal)]);
  } catch (error) {
    // A signal is the normal end, except with --until-empty.
    if (!(error instanceof Interrupted) || untilEmpty) throw error;
    report('stopping: inputs in progress are finished or sent back');
  } finally {
    shown?.stop();
    await working.close();
    if (!quiet) say(summaryOf(working));
  }
  return STATUS.ok;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function lineOf({ worker, task, index, ok, ms }: SlowAttempt): string {
  return `${worker}: ${task} ${index} ${ok ? 'ok' : 'failed'} in ${(ms / 1000).toFixed(1)} s`;
}

function beginningOf({ workers, place, tasks }: Work): string {
  return `${count(workers, 'worker')} at ${place}, tasks: ${tasks.join(', ')}`;
}

function summaryOf({ done: { ok, failed, attempts } }: Work): string {
  return `${count(ok + failed, 'input')} done here (${ok} ok, ${failed} failed), in ${count(attempts, 'attempt')}`;
}
