import { type Names, namesOf } from './names.ts';

/** The queue for a run's results: its own, or the deployment's. */
export type ResultsTo = 'own' | 'shared';

/**
 * The URL of a deployment's queue, derived from the URL of another one. All queues of a deployment
 * are in one account and region, so their URLs differ only in the name. No message may carry a URL:
 * the SDK would send to its host.
 *
 * @param known the URL of any queue of the deployment, such as its task queue
 */
export function siblingUrl(known: string, name: string): string {
  return `${known.slice(0, known.lastIndexOf('/') + 1)}${name}`;
}

const TASK_QUEUE = '-tasks';

/**
 * The URL of the queue for a run's results, derived from its deployment's task queue.
 *
 * @param runId a checked run id: it becomes part of a queue's name
 */
export function resultQueueUrl(taskQueueUrl: string, runId: string, results: ResultsTo): string {
  const names = namesAt(taskQueueUrl);
  return siblingUrl(taskQueueUrl, results === 'own' ? names.run(runId) : names.results);
}

/** The URL of the queue for chunks of runs with bounds, derived from the task queue's. */
export function laneQueueUrl(taskQueueUrl: string): string {
  return siblingUrl(taskQueueUrl, namesAt(taskQueueUrl).lanes);
}

function namesAt(taskQueueUrl: string): Names {
  const taskQueue = taskQueueUrl.slice(taskQueueUrl.lastIndexOf('/') + 1);
  return namesOf(taskQueue.slice(0, -TASK_QUEUE.length));
}
