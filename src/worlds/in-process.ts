import { FanfoldError } from '../errors.ts';
import type { LambdaContext } from '../handlers/environment.ts';
import { workerHandler } from '../handlers/worker.ts';
import { workFor, workOn } from '../nested.ts';
import { laneQueueUrl } from '../pipeline/queue-urls.ts';
import { Setups } from '../pipeline/working/setups.ts';
import type { AsIf } from '../planning/as-if.ts';
import { Measuring } from '../processes/measuring.ts';
import { TaskRegistry } from '../task-registry.ts';
import { LOCAL_SLICE_SECONDS, openServices, type World } from './world.ts';

/** As long as the queue's visibility timeout: slices end far earlier. */
const TIMEOUT_SECONDS = 43_200;

/**
 * A world in this process. Tasks run here, and become known when `map` is called with them.
 *
 * @param asIf the deployment whose costs are metered. @default nothing is
 */
export async function openInProcess(workers: number, asIf?: AsIf): Promise<World> {
  const tasks = new TaskRegistry();
  const services = await openServices({ workers, tasks, asIf });
  const { lambda, names, taskQueueUrl, deployment } = services;
  const { sqs } = deployment;
  const closing = new AbortController();
  const setups = new Setups();
  const measuring = new Measuring();
  const options = {
    setups,
    payloads: deployment.payloads,
    signal: closing.signal,
    name: names.name,
    onServer: true,
    sliceSeconds: LOCAL_SLICE_SECONDS,
  };
  const handlerWith = (own: { sqs: typeof sqs; asIf?: AsIf }) =>
    workerHandler(tasks, {
      ...{ ...options, ...own },
      get metrics() {
        const count = measuring.onEnded;
        return count && { count, flush() {} };
      },
    });
  const handler = handlerWith({ sqs });
  // A meter is of one invocation at a time, as an execution environment is.
  const metered = new Map<string, typeof handler>();
  const handlerOf = ({ logStreamName = '' }: LambdaContext) => {
    if (asIf === undefined) return handler;
    const own = metered.get(logStreamName) ?? handlerWith({ asIf, sqs: services.newClient() });
    metered.set(logStreamName, own);
    return own;
  };
  const work: typeof handler = (event, context) =>
    workFor(services, () => handlerOf(context)(event, context));
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
