// The program of one worker process. Its supervisor starts it, and it ends with its supervisor.
import { flushCompileCache } from 'node:module';
import { messageOf } from '../../errors.ts';
import { mayPass } from '../../pipeline/faults.ts';
import { pull } from '../../pipeline/working/pull.ts';
import { Worker } from '../../pipeline/working/work.ts';
import { factsOf, TaskRegistry } from '../../task.ts';
import { importTasks, whyNot } from '../loading/import-tasks.ts';
import type { TasksCode } from '../loading/tasks-module.ts';
import { sqsAt } from '../served/clients.ts';
import { HandNotes } from './hand-file.ts';
import { printAtOnce } from './printed.ts';
import type { FromWorker, Start, ToWorker } from './protocol.ts';
import { telling } from './telling.ts';

const ALIVE_MS = 1_000;

/** With the SDK's pauses between them, of 20 s at most, about a minute: half of what a claim lasts. */
const PATIENT_ATTEMPTS = 12;

/** After so long, what a worker needs has been compiled, in milliseconds. */
const FLUSH_MS = 2_000;

const stopping = new AbortController();
let worker: Worker | undefined;
let lastError: string | undefined;

/** Ends when nothing that becomes of this process can keep it from being heard. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    // The supervisor may be gone: then this process is about to end as well.
    if (process.connected) process.send?.(message, () => resolve());
    else resolve();
  });
}

function stop(): void {
  stopping.abort();
  worker?.stop();
}

// Ctrl-C reaches all processes of a terminal: the supervisor decides what it means.
process.on('SIGINT', () => {});
process.on('SIGTERM', stop);
process.on('disconnect', () => process.exit(0));
process.on('uncaughtExceptionMonitor', (error) => {
  lastError = error instanceof Error ? `${error.name}: ${error.message}` : messageOf(error);
});
process.on('exit', () => {
  const held = Array.from(worker?.held ?? []);
  if (held.length === 0) return;
  const chunks = held.map((chunk) => ({
    receiptHandle: chunk.message.receiptHandle,
    body: chunk.message.body,
    lastWords: { running: chunk.running(), settled: chunk.settled() },
  }));
  tell({ type: 'lastWords', chunks, cause: lastError });
});
process.on('message', (message: ToWorker) => {
  if (message.type === 'start') void work(message.start);
  else {
    stop();
    const reason = new Error('The worker was told to stop.');
    setTimeout(() => worker?.interrupt(reason), message.interruptMs).unref();
  }
});

async function work(start: Start): Promise<void> {
  if (start.prints) printAtOnce();
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
  const hand = new HandNotes();
  await pull({
    sqs,
    taskQueueUrl,
    worker,
    signal: stopping.signal,
    onTaken: (messages) => hand.take(messages),
    onBegin: (message, chunk) => hand.begin(message, chunk),
    onDone: (messages) => hand.done(messages),
    onError: (error) =>
      tell({ type: 'trouble', message: messageOf(error), passing: mayPass(error) }),
  });
  told?.close();
  clearInterval(alive);
  // What was told last is on its way.
  await tell({ type: 'alive' });
  process.exit(0);
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
