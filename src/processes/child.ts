// Entry point of a worker process. The supervisor starts it; it exits when the supervisor does.
import { flushCompileCache } from 'node:module';
import { sqsAt } from '../endpoint/clients.ts';
import { identityOf } from '../endpoint/identity.ts';
import { payloadsAt } from '../endpoint/payloads.ts';
import { attemptOf } from '../endpoint/receive-attempts.ts';
import { messageOf } from '../errors.ts';
import { importTasks, whyNot } from '../loading/import-tasks.ts';
import type { TasksCode } from '../loading/tasks-module.ts';
import { workAlwaysFor } from '../nested.ts';
import { isTransient } from '../pipeline/call-errors.ts';
import { laneQueueUrl } from '../pipeline/queue-urls.ts';
import { Meter } from '../pipeline/run/meter.ts';
import { type Attempt, atWork } from '../pipeline/working/attempt.ts';
import { captureConsole } from '../pipeline/working/console.ts';
import { type PullOptions, pull } from '../pipeline/working/poll-loop.ts';
import { Setups } from '../pipeline/working/setups.ts';
import { Worker } from '../pipeline/working/worker.ts';
import { factsOf } from '../task.ts';
import { TaskRegistry } from '../task-registry.ts';
import { killGroup } from './groups.ts';
import { InFlightJournal } from './in-flight-journal.ts';
import { logToPipe } from './log-pipe.ts';
import { Measuring } from './measuring.ts';
import { printAtOnce } from './printed.ts';
import { telling } from './progress-reports.ts';
import {
  type FromWorker,
  marked,
  type Ran,
  readMarked,
  readStart,
  type Start,
  type ToWorker,
} from './protocol.ts';
import { noteRejections, type Stray, strayOf } from './stray.ts';

const ALIVE_MS = 1_000;

/** With the SDK's pauses of at most 20 s, the attempts take about a minute: half of a claim. */
const PATIENT_ATTEMPTS = 12;

/** Time after which the code that a worker needs has been compiled, in milliseconds. */
const FLUSH_MS = 2_000;

/** Time limit for the tasks' own exit handlers, teardowns excluded, in milliseconds. */
const END_MS = 2_000;

/**
 * Shorter limit if an input was given up: its timers may keep the process alive, and the command
 * must end soon.
 */
const GIVEN_UP_END_MS = 500;

/** Time that a listener needs to log an error, flush and end the process, in milliseconds. */
const HANDLED_MS = 10_000;

const stopping = new AbortController();
const journal = new InFlightJournal();
const setups = new Setups((isUnderWay) => {
  journal.setup(isUnderWay);
  // A setup may have blocked the thread: restart the supervisor's count for the code that follows.
  void tell({ type: 'alive' });
});
const measuring = new Measuring();
let mark = '';
let worker: Worker | undefined;
let isTerminated = false;
let endMs = END_MS;
let stray: Stray | undefined;
/** The attempt whose code threw the fatal error. */
let culprit: Attempt | undefined;
const rejections = noteRejections();

/** Resolves once the message has been flushed to the supervisor. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    // If the supervisor is gone, this process is about to exit as well.
    if (process.connected) process.send?.(marked(mark, message), () => resolve());
    else resolve();
  });
}

function stop(): void {
  stopping.abort();
  worker?.stop();
}

function hear(message: ToWorker): void {
  if (message.type === 'measure') measuring.begin();
  if (message.type === 'measured') void tell({ type: 'measured', measured: measuring.end() });
  if (message.type !== 'stop') return;
  stop();
  // A process that is still loading its tasks has nothing to finish.
  if (!worker) process.exit(0);
  const reason = new Error('The worker was stopped.');
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
  // Runs after the `exit` listeners of the tasks.
  process.once('exit', () => killGroup(process.pid));
  process.exit(0);
});
// Tasks must not close the channel.
process.disconnect = () => {};
// If the reader of the tasks' output goes away, the worker must not die of it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
// Only the monitor: libraries such as Sentry end the process only if no other listener exists.
process.on('uncaughtExceptionMonitor', (error) => {
  stray = strayOf(rejections.reasonOf(error), atWork.getStore());
  if (
    process.listenerCount('uncaughtException') > 0 ||
    process.hasUncaughtExceptionCaptureCallback()
  ) {
    // The process may survive; then this error is not the cause of its death.
    const handled = stray;
    const forget = () => {
      if (stray === handled) stray = undefined;
    };
    setTimeout(forget, HANDLED_MS).unref();
    return;
  }
  culprit = atWork.getStore();
  // The supervisor reports the error in a line; Node would print a page for each process.
  process.exit(1);
});
process.on('exit', () => {
  if (journal.isEmpty && stray === undefined) return;
  const chunks = Array.from(worker?.held ?? [], (chunk) => ({
    receiptHandle: chunk.message.receiptHandle,
    body: chunk.message.body,
    lastWords: chunk.lastWords(culprit ?? atWork.getStore()),
  }));
  journal.exiting({ chunks, unsent: worker?.unsent ?? [], stray });
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
  const writeLog = start.logs ? logToPipe(start.worker) : undefined;
  if (writeLog) {
    printAtOnce();
    captureConsole((level, message) => writeLog(level, message, {}));
  }
  const { place, taskQueueUrl, deadQueueUrl, attempts } = start;
  const laneUrl = laneQueueUrl(taskQueueUrl);
  const receiveAttempt = (queueUrl: string) => {
    const isLane = queueUrl === laneUrl;
    const [kind, at] = isLane ? (['lanes', 1] as const) : (['tasks', 0] as const);
    return attemptOf(attempts.prefix, kind, attempts.first[at] + journal.receives[at]);
  };
  const sqs = sqsAt(place, { receiveAttempt });
  workAlwaysFor(await identityOf(place, sqs, taskQueueUrl));
  const tasks = await load(start.tasks);
  if (tasks === undefined) return;
  // A server may be away for a moment; finished work is worth the wait. The supervisor never is.
  const isSupervisor = !('stack' in place) && place.credentials === 'none';
  const patient = isSupervisor ? sqs : sqsAt(place, { maxAttempts: PATIENT_ATTEMPTS });
  const { tellingMs, asIf } = start;
  const meter = asIf && new Meter({ ...asIf, isAsIf: true });
  for (const client of new Set([sqs, patient])) meter?.countSqs(client);
  const tellRan = (ran: Ran) => tell({ type: 'ran', ran });
  const told = tellingMs === undefined ? undefined : telling(tellRan, tellingMs);
  worker = new Worker({
    sqs: patient,
    tasks,
    taskQueueUrl,
    onServer: !('stack' in place),
    setups,
    payloads: payloadsAt(place, sqs, taskQueueUrl, meter),
    meter,
    deadQueueUrl,
    worker: start.worker,
    sliceSeconds: start.sliceSeconds,
    onRefused: ({ message }) =>
      tell({ type: 'trouble', message: `sent a chunk back: ${message}`, passing: false }),
    get onEnded() {
      return measuring.onEnded ?? told?.onEnded;
    },
    writeLog,
  });
  tell({ type: 'ready', tasks: tasks.all().map(factsOf) });
  // Node flushes the cache at exit, but most workers are killed while idle.
  setTimeout(flushCompileCache, FLUSH_MS).unref();
  const alive = setInterval(() => tell({ type: 'alive' }), ALIVE_MS);
  const pulling: PullOptions = {
    sqs,
    taskQueueUrl,
    worker,
    signal: stopping.signal,
    onBusy: (isBusy) => (isBusy ? meter?.begin() : meter?.end()),
    onTaken: (messages) => journal.received(messages),
    onBegin: (message, chunk) => journal.begun(message, chunk),
    onSettled: (message) => journal.settled(message),
    onDone: (messages) => journal.finished(messages),
    onError: (error) =>
      tell({ type: 'trouble', message: messageOf(error), passing: isTransient(error) }),
  };
  await pull(pulling);
  told?.close();
  await setups.close((message) => tell({ type: 'trouble', message, passing: false }));
  clearInterval(alive);
  sqs.destroy();
  patient.destroy();
  // The channel keeps the order: when this message is flushed, so are all before it.
  await tell({ type: 'leaving' });
  leave();
}

/** Ends this process as Node normally does, so that the exit handlers of tasks run. */
function leave(): void {
  const isAwaited = process.listenerCount('SIGTERM') > 1;
  if (!isAwaited && process.listenerCount('beforeExit') === 0) process.exit(0);
  // Telemetry libraries and the like flush on SIGTERM.
  if (isAwaited && !isTerminated) process.emit('SIGTERM', 'SIGTERM');
  process.channel?.unref();
  setTimeout(() => process.exit(0), endMs).unref();
}

async function load(code: TasksCode): Promise<TaskRegistry | undefined> {
  // Only the module's pending work may keep this process alive: without any, it can never load.
  process.channel?.unref();
  const stuck = () => unloadable('its top-level await can never settle: nothing is left to run');
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
