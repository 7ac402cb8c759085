import { FanfoldError } from '../errors.ts';
import { workerHandler } from '../handlers/worker.ts';
import { workFor, workOn } from '../nested.ts';
import { laneQueueUrl } from '../pipeline/queue-urls.ts';
import { Measuring } from '../pipeline/working/measuring.ts';
import { Setups } from '../pipeline/working/setups.ts';
import { TaskRegistry } from '../task-registry.ts';
import { LOCAL_SLICE_SECONDS, openServices, type World } from './world.ts';

/** As long as the queue's visibility timeout: slices end far earlier. */
const TIMEOUT_SECONDS = 43_200;

/** A world in this process. Tasks run here, and become known when `map` is called with them. */
export async function openInProcess(workers: number): Promise<World> {
  const tasks = new TaskRegistry();
  const services = await openServices({ workers, tasks });
  const { lambda, names, taskQueueUrl, deployment } = services;
  const { sqs } = deployment;
  const closing = new AbortController();
  const setups = new Setups();
  const measuring = new Measuring();
  const handler = workerHandler(tasks, {
    sqs,
    setups,
    payloads: deployment.payloads,
    signal: closing.signal,
    name: names.name,
    onServer: true,
    sliceSeconds: LOCAL_SLICE_SECONDS,
    get metrics() {
      const count = measuring.onEnded;
      return count && { count, flush() {} };
    },
  });
  const work: typeof handler = (event, context) => workFor(services, () => handler(event, context));
  lambda.addFunction(names.worker, work, { timeoutSeconds: TIMEOUT_SECONDS });
  const sources = [taskQueueUrl, laneQueueUrl(taskQueueUrl)].map((queueUrl) =>
    lambda.addSqsEventSource(names.worker, {
      ...{ sqs, queueUrl },
      ...{ batchSize: 1, maxConcurrency: workers, reportBatchItemFailures: true },
    }),
  );
  return {
    deployment,
    tasks: undefined,
    added: () => tasks.names(),
    add: (task) => tasks.add(task),
    remove: (task) => tasks.delete(task),
    started(ended) {
      // A task that waits for the run occupies a worker, which the run may need: add one meanwhile.
      const waiting = workOn(services);
      if (!waiting) return;
      const until = Promise.race([ended, waiting.ended]);
      for (const source of sources) source.allowOneMore(until);
    },
    openLike: () => openInProcess(workers),
    measure() {
      measuring.begin();
      return async () => [measuring.end()];
    },
    async close() {
      closing.abort(new FanfoldError('Closed', 'The connection that ran this input was closed.'));
      await services.close();
      await setups.close((message) => process.emitWarning(message, 'FanfoldWarning'));
    },
  };
}
