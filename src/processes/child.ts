// The program of one worker process. Its supervisor starts it, and it ends with its supervisor.
import { flushCompileCache } from 'node:module';
import { sqsAt } from '../endpoint/clients.ts';
import { identityOf } from '../endpoint/identity.ts';
import { messageOf } from '../errors.ts';
import { importTasks, whyNot } from '../loading/import-tasks.ts';
import type { TasksCode } from '../loading/tasks-module.ts';
import { workAlwaysFor } from '../nested.ts';
import { isTransient } from '../pipeline/call-errors.ts';
import { type Attempt, atWork } from '../pipeline/working/attempt.ts';
import { type PullOptions, pull } from '../pipeline/working/poll-loop.ts';
import { Setups } from '../pipeline/working/setups.ts';
import { Worker } from '../pipeline/working/worker.ts';
import { factsOf, TaskRegistry } from '../task.ts';
import { killGroup } from './groups.ts';
import { HandNotes } from './hand-file.ts';
import { printAtOnce } from './printed.ts';
import { telling } from './progress-reports.ts';
import {
  type FromWorker,
  marked,
  readMarked,
  readStart,
  type Start,
  type ToWorker,
} from './protocol.ts';
import { type Stray, strayOf } from './stray.ts';

const ALIVE_MS = 1_000;

/** With the SDK's pauses between them, of 20 s at most, about a minute: half of what a claim lasts. */
const PATIENT_ATTEMPTS = 12;

/** After so long, what a worker needs has been compiled, in milliseconds. */
const FLUSH_MS = 2_000;

/** How long what tasks do at the end of their process may take, besides teardowns, in milliseconds. */
const END_MS = 2_000;

/** And where an input was given up, whose timers may keep the process: the command is to end soon. */
const GIVEN_UP_END_MS = 500;

/** Within so long, a listener that logs an error, flushes and ends the process has done so. */
const HANDLED_MS = 10_000;

const stopping = new AbortController();
const hand = new HandNotes();
const setups = new Setups((isUnderWay) => {
  hand.setsUp(isUnderWay);
  // A setup may have blocked the thread: the time of what follows counts from here.
  void tell({ type: 'alive' });
});
let mark = '';
let worker: Worker | undefined;
let isTerminated = false;
let endMs = END_MS;
let stray: Stray | undefined;
/** The attempt whose code threw what the process dies of. */
let culprit: Attempt | undefined;

/** Ends when nothing that becomes of this process can keep it from being heard. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    // The supervisor may be gone: then this process is about to end as well.
    if (process.connected) process.send?.(marked(mark, message), () => resolve());
    else resolve();
  });
}

function stop(): void {
  stopping.abort();
  worker?.stop();
}

function hear(message: ToWorker): void {
  if (message.type !== 'stop') return;
  stop();
  // What is still loading its tasks has nothing to finish.
  if (!worker) process.exit(0);
  const reason = new Error('The worker was told to stop.');
  const giveUp = () => {
    if ([...(worker?.held ?? [])].length > 0) endMs = GIVEN_UP_END_MS;
    worker?.interrupt(reason);
  };
  setTimeout(giveUp, message.interruptMs).unref();
}

// Ctrl-C reaches all processes of a terminal: the supervisor decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {
  isTerminated = true;
  stop();
});
process.on('disconnect', () => {
  // The last of the listeners: tasks may have theirs.
  process.once('exit', () => killGroup(process.pid));
  process.exit(0);
});
// The channel is not the tasks' to close.
process.disconnect = () => {};
// Who reads what tasks print may leave; that is no reason to die.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
// The monitor alone: libraries such as Sentry end the process only where no other listener may.
process.on('uncaughtExceptionMonitor', (error) => {
  stray = strayOf(error, atWork.getStore());
  if (
    process.listenerCount('uncaughtException') > 0 ||
    process.hasUncaughtExceptionCaptureCallback()
  ) {
    // The process may live on, and then this is not the cause of its end.
    const handled = stray;
    const forget = () => {
      if (stray === handled) stray = undefined;
    };
    setTimeout(forget, HANDLED_MS).unref();
    return;
  }
  culprit = atWork.getStore();
  // The supervisor says what it was, where Node's own words would be a page for each process.
  process.exit(1);
});
process.on('exit', () => {
  const chunks = Array.from(worker?.held ?? [], (chunk) => ({
    receiptHandle: chunk.message.receiptHandle,
    body: chunk.message.body,
    lastWords: chunk.lastWords(culprit ?? atWork.getStore()),
  }));
  if (hand.isEmpty && stray === undefined) return;
  hand.leave({ stray, chunks, unsent: worker?.unsent ?? [] });
});
process.on('message', (sent) => {
  const started = mark === '' ? readStart(sent) : undefined;
  if (started) {
    mark = started.mark;
    void work(started.start);
    return;
  }
  const message = readMarked<ToWorker>(mark, sent);
  if (message) hear(message);
});

async function work(start: Start): Promise<void> {
  if (start.prints) printAtOnce();
  workAlwaysFor(identityOf(start.place));
  const tasks = await load(start.tasks);
  if (tasks === undefined) return;
  const { place, taskQueueUrl, deadQueueUrl, appId: userAgentAppId } = start;
  const sqs = sqsAt(place, { userAgentAppId });
  // Where a server may be away for a moment, what has been done is worth waiting for it.
  const patient = userAgentAppId ? sqs : sqsAt(place, { maxAttempts: PATIENT_ATTEMPTS });
  const told = start.telling ? telling((ran) => tell({ type: 'ran', ran })) : undefined;
  worker = new Worker({
    sqs: patient,
    tasks,
    taskQueueUrl,
    onServer: !('stack' in place),
    setups,
    deadQueueUrl,
    worker: start.worker,
    sliceSeconds: start.sliceSeconds,
    onRefused: ({ message }) =>
      tell({ type: 'trouble', message: `passed a chunk on: ${message}`, passing: false }),
    onEnded: told?.onEnded,
  });
  tell({ type: 'ready', tasks: tasks.all().map(factsOf) });
  // Node does so when a process ends, but most workers are killed while they wait.
  setTimeout(flushCompileCache, FLUSH_MS).unref();
  const alive = setInterval(() => tell({ type: 'alive' }), ALIVE_MS);
  const pulling: PullOptions = {
    sqs,
    taskQueueUrl,
    worker,
    signal: stopping.signal,
    onTaken: (messages) => hand.take(messages),
    onBegin: (message, chunk) => hand.begin(message, chunk),
    onSettled: (message) => hand.settled(message),
    onDone: (messages) => hand.done(messages),
    onError: (error) =>
      tell({ type: 'trouble', message: messageOf(error), passing: isTransient(error) }),
  };
  await pull(pulling);
  told?.close();
  await setups.close((message) => tell({ type: 'trouble', message, passing: false }));
  clearInterval(alive);
  sqs.destroy();
  patient.destroy();
  // What was sent before has arrived with it.
  await tell({ type: 'leaving' });
  leave();
}

/** Has this process end as others of Node's do, so that what tasks do at its end is done. */
function leave(): void {
  const isAwaited = process.listenerCount('SIGTERM') > 1;
  if (!isAwaited && process.listenerCount('beforeExit') === 0) process.exit(0);
  // Telemetry and the like are put out at the signal that asks a process to end.
  if (isAwaited && !isTerminated) process.emit('SIGTERM', 'SIGTERM');
  process.channel?.unref();
  setTimeout(() => process.exit(0), endMs).unref();
}

async function load(code: TasksCode): Promise<TaskRegistry | undefined> {
  // Only what the module waits for is to keep this process: when that is nothing, it never loads.
  process.channel?.unref();
  const stuck = () =>
    unloadable('nothing is left that could settle what its top-level await waits for');
  process.once('beforeExit', stuck);
  try {
    return TaskRegistry.fromModule(await importTasks(code), 'it');
  } catch (error) {
    unloadable(whyNot(error, code));
    return undefined;
  } finally {
    process.off('beforeExit', stuck);
    process.channel?.ref();
  }
}

function unloadable(reason: string): void {
  void tell({ type: 'unloadable', reason }).then(() => process.exit(1));
}
