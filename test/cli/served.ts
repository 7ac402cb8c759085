import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { listen } from '../../src/emulator/transport/index.ts';
import { seedHandler, workerHandler } from '../../src/handlers.ts';
import { namesOf } from '../../src/pipeline/names.ts';

/** A deployment on a port, with SQS, Lambda and workers, for commands that use its URL. */
export async function serveDeployment(tasks: object, workers: number) {
  const sqs = new Sqs({ strictTiming: false });
  const lambda = new Lambda();
  const names = namesOf('fanfold');
  const client = createSqsClient(sqs);
  await client.send(new CreateQueueCommand({ QueueName: names.dead }));
  await client.send(new CreateQueueCommand({ QueueName: names.results }));
  const Attributes = { MessageRetentionPeriod: '86400' };
  await client.send(new CreateQueueCommand({ QueueName: names.ended, Attributes }));
  const { QueueUrl: queueUrl = '' } = await client.send(
    new CreateQueueCommand({ QueueName: names.tasks, Attributes: { VisibilityTimeout: '900' } }),
  );
  const options = { sqs: client, name: names.name, sliceSeconds: 1 };
  lambda.addFunction(names.seed, seedHandler(tasks, options), { timeoutSeconds: 60 });
  lambda.addFunction(names.worker, workerHandler(tasks, options), { timeoutSeconds: 900 });
  const source = { sqs: client, queueUrl, batchSize: 1, maxConcurrency: workers };
  lambda.addSqsEventSource(names.worker, { ...source, reportBatchItemFailures: true });
  const server = await listen((request) =>
    request.path.includes('/functions/') ? lambda.service(request) : sqs.service(request),
  );
  return {
    url: server.url,
    sqs,
    client,
    async [Symbol.asyncDispose]() {
      const closing = lambda.close();
      sqs.close();
      await server.close();
      await closing;
    },
  };
}
