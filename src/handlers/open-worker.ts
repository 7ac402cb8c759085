import { siblingUrl } from '../pipeline/queue-urls.ts';
import type { Setups } from '../pipeline/working/setups.ts';
import { Worker } from '../pipeline/working/worker.ts';
import type { TaskRegistry } from '../task-registry.ts';
import type { Environment, HandlerOptions, LambdaContext } from './environment.ts';
import { type WatchOptions, watched } from './telemetry.ts';

/** Options of the handlers that run tasks. */
export interface WorkerHandlerOptions extends HandlerOptions, WatchOptions {
  /** Seconds that a worker keeps one chunk. @default 60 */
  sliceSeconds?: number;
  /** Tasks' resources, for a caller that ends the process. @default the handler's own */
  setups?: Setups;
}

/** The worker of one invocation. */
export async function openWorker(
  place: Environment,
  tasks: TaskRegistry,
  setups: Setups,
  options: WorkerHandlerOptions,
  context: LambdaContext,
): Promise<Worker> {
  const { sqs, names, runs, paces, meter, payloads } = place;
  const taskQueueUrl = await place.taskQueueUrl();
  return new Worker({
    sqs,
    tasks,
    taskQueueUrl,
    onServer: options.onServer,
    deadQueueUrl: siblingUrl(taskQueueUrl, names.dead),
    worker: workerName(context),
    runs,
    paces,
    meter,
    payloads,
    setups,
    sliceSeconds: options.sliceSeconds ?? 60,
    ...watched(options),
  });
}

/** The end of Lambda's log stream name, which identifies one execution environment well enough. */
export function workerName({ logStreamName, awsRequestId }: LambdaContext): string {
  return (logStreamName?.split(/[\]/]/).at(-1) || awsRequestId).slice(0, 100);
}
