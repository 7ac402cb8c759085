import { fileURLToPath } from 'node:url';
import { listen } from '../emulator/transport/index.ts';
import type { FanfoldError } from '../errors.ts';
import { keep } from '../keep.ts';
import { openTasks, type TasksModule } from '../loading/tasks-module.ts';
import type { LogLine } from '../pipeline/working/log-line.ts';
import type { AsIf } from '../planning/as-if.ts';
import { Workers } from '../processes/workers.ts';
import type { WorkerDeath } from '../report/workers.ts';
import { defineTask } from '../task.ts';
import { TaskRegistry } from '../task-registry.ts';
import { maxBodyBytes } from './local-objects.ts';
import { LOCAL_SLICE_SECONDS, openServices, type World } from './world.ts';

/** Deaths to remember. */
const MOST_DEATHS = 1_000;

export interface ProcessesOptions {
  tasks: TasksModule;
  workers: number;
  onWarning: (message: string) => void;
  onLog?: ((line: LogLine) => void) | undefined;
  onFailure: (error: FanfoldError) => void;
  /** The deployment whose costs are metered. @default nothing is */
  asIf?: AsIf | undefined;
}

/** A world with SQS and Lambda in this process; worker processes reach SQS on a loopback port. */
export async function openProcesses(options: ProcessesOptions): Promise<World> {
  const { deployment, tasks, measure, close } = await open(options);
  const openLike = () => {
    const shipped = openTasks(fileURLToPath(import.meta.resolve('fanfold/tasks')));
    return openProcesses({ ...options, tasks: shipped, onFailure() {} });
  };
  return { deployment, tasks: tasks.names(), add() {}, measure, openLike, close };
}

/**
 * Lists the tasks of a module without their code, which is loaded only in a process of its own.
 *
 * @throws FanfoldError `BadTask`
 */
export async function loadTasks(
  tasks: TasksModule,
  onLog?: (line: LogLine) => void,
): Promise<TaskRegistry> {
  const opened = await open({ tasks, workers: 1, onWarning() {}, onFailure() {}, onLog });
  await opened.close();
  return opened.tasks;
}

async function open(options: ProcessesOptions) {
  const tasks = new TaskRegistry();
  const deaths: WorkerDeath[] = [];
  const { asIf } = options;
  const services = await openServices({ workers: options.workers, tasks, asIf });
  const { deployment, sqs, objects, taskQueueUrl, deadQueueUrl } = services;
  const server = await listen(objects.besides(sqs.service), { background: true, maxBodyBytes });
  const workers = new Workers({
    tasks: options.tasks,
    place: { endpoint: server.url, region: sqs.region, credentials: 'none' },
    sliceSeconds: LOCAL_SLICE_SECONDS,
    asIf,
    count: options.workers,
    background: true,
    sqs: deployment.sqs,
    taskQueueUrl,
    deadQueueUrl,
    onFailure: options.onFailure,
    onLog: options.onLog,
    onDeath(worker) {
      deaths.push({ worker, at: Date.now() });
      if (deaths.length > MOST_DEATHS) deaths.shift();
    },
    onTrouble: ({ message }) => options.onWarning(message),
  });
  const close = async () => {
    await workers.close();
    await services.close();
    await server.close();
  };
  try {
    const ready = await keep(workers.ready);
    for (const facts of ready) tasks.add(defineTask({ ...facts, run: notHere }));
  } catch (error) {
    await keep(close());
    throw error;
  }
  const measure = () => workers.measure();
  return { deployment: { ...deployment, deaths }, tasks, measure, close: () => keep(close()) };
}

/** Stands for the code of a task, which only the workers have: the seed needs just its facts. */
function notHere(): never {
  throw new Error('This task runs in worker processes.');
}
