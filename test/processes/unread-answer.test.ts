import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Message, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { listen } from '../../src/emulator/transport/index.ts';
import { openTasks } from '../../src/loading/tasks-module.ts';
import { chunkBody } from '../../src/pipeline/messages/chunk.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import { resultQueueUrl } from '../../src/pipeline/queue-urls.ts';
import { Workers } from '../../src/processes/workers.ts';
import { TaskRegistry } from '../../src/task-registry.ts';
import { openServices } from '../../src/worlds/world.ts';

const TASKS = pathToFileURL(join(import.meta.dirname, '../fixtures/tasks.ts'));

/** Passes a port on, except for the first answer with messages: its client is killed instead. */
async function losingAnAnswer(port: number) {
  let hasLost = false;
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    client.pipe(server);
    server.on('data', (data) => {
      if (hasLost || !data.includes('ReceiptHandle')) client.write(data);
      else {
        hasLost = true;
        process.kill(workerProcess(), 'SIGKILL');
      }
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('It has a port.');
  return { port: address.port, close: () => proxy.close(), hasLost: () => hasLost };
}

/** The worker process of this process. */
function workerProcess(): number {
  const threads = readdirSync(`/proc/${process.pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${process.pid}/task/${thread}/children`, 'utf8').trim().split(' '),
  );
  const isWorker = (child: string) =>
    child !== '' && readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('processes/child');
  return Number(children.find(isWorker));
}

it('the answer that a killed process did not read goes to its replacement', async () => {
  const services = await openServices({ workers: 1, tasks: new TaskRegistry() });
  const { sqs, taskQueueUrl, deadQueueUrl, deployment } = services;
  await using server = await listen(sqs.service);
  const proxy = await losingAnAnswer(server.port);
  const runId = newRunId();
  const envelope = { runId, task: 'same', attempt: 1, results: 'shared' } as const;
  const MessageBody = chunkBody({ ...envelope, expiresAt: Date.now() + 600_000 }, [
    { index: 0, text: '"is read"' },
  ]);
  await deployment.sqs.send(new SendMessageCommand({ QueueUrl: taskQueueUrl, MessageBody }));
  const workers = new Workers({
    tasks: openTasks(TASKS),
    place: { endpoint: `http://127.0.0.1:${proxy.port}`, region: sqs.region, credentials: 'none' },
    ...{ sqs: deployment.sqs, taskQueueUrl, deadQueueUrl, count: 1, sliceSeconds: 5 },
    onFailure() {},
    onTrouble() {},
  });
  try {
    const QueueUrl = resultQueueUrl(taskQueueUrl, runId, 'shared');
    const asked = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 });
    let results: Message[] = [];
    // A claim ends after 120 s: the message comes back before.
    for (let waits = 0; results.length === 0 && waits < 4; waits++) {
      ({ Messages: results = [] } = await deployment.sqs.send(asked));
    }
    expect(results.map(({ Body }) => Body)).toEqual([expect.stringContaining('is read')]);
    expect(proxy.hasLost()).toBe(true);
  } finally {
    await workers.close();
    proxy.close();
    await services.close();
  }
});
