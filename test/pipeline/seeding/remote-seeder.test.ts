import { InvokeCommand } from '@aws-sdk/client-lambda';
import { SendMessageCommand, TagQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { defineTask } from '../../../src/index.ts';
import { noticeBody } from '../../../src/pipeline/messages/notice.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { RunLedger } from '../../../src/pipeline/run/ledger.ts';
import { createRunQueue, findQueue } from '../../../src/pipeline/run/queues.ts';
import { collectRun } from '../../../src/pipeline/runs/collect-run.ts';
import { RemoteSeeder } from '../../../src/pipeline/seeding/remote-seeder.ts';
import { virtualDeployment, within } from '../virtual-deployment.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const echo = defineTask({ name: 'echo', run: (input: number) => input });

/** A run that another process seeds: three inputs are queued, and there may be more. */
async function seeding() {
  const place = await virtualDeployment([echo]);
  place.startWorkers();
  const { client, deployment } = place;
  const runId = newRunId();
  const request = { task: 'echo', inputs: [0, 1, 2], results: 'own', runId, more: true };
  await deployment.lambda.send(
    new InvokeCommand({ FunctionName: deployment.names.seed, Payload: JSON.stringify(request) }),
  );
  const QueueUrl = (await findQueue(client, deployment.names.run(runId))) ?? '';
  // As on AWS: the collector reads the run's settings every 30 s.
  const run = await collectRun({ ...deployment, countsLate: true }, 'echo', runId);
  let looks = 0;
  let fails = false;
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (call) => {
        if (commandName === 'ListQueueTagsCommand') {
          looks++;
          if (fails) throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
        }
        return next(call);
      },
    { step: 'initialize' },
  );
  return {
    ...place,
    results: Array.fromAsync(run),
    run,
    looks: () => looks,
    throttle: (on: boolean) => {
      fails = on;
    },
    seal: (total: number) =>
      client.send(new TagQueueCommand({ QueueUrl, Tags: { state: 'sealed', total: `${total}` } })),
    notify: () =>
      client.send(
        new SendMessageCommand({ QueueUrl, MessageBody: noticeBody(runId, { notice: 'sealed' }) }),
      ),
  };
}

it('a remote seeder reads the tags of a run less and less often', async () => {
  const { looks, seal, results, close } = await seeding();
  await within(15, vi.advanceTimersByTimeAsync(10_000));
  const early = looks();
  expect(early).toBeGreaterThanOrEqual(2);
  await within(700, vi.advanceTimersByTimeAsync(600_000));
  // Two reads are at least 15 s and at most 30 s apart; the run's settings are read every 30 s.
  expect(looks() - early).toBeGreaterThanOrEqual(600 / 30);
  expect(looks() - early).toBeLessThanOrEqual(600 / 15 + 600 / 30 + 2);
  await seal(3);
  // No notice is sent: the next read finds the tags.
  expect(await within(35, results)).toHaveLength(3);
  await close();
});

it('a remote seeder ends at once when a notice says that the run is sealed', async () => {
  const { seal, notify, results, run, close } = await seeding();
  await within(320, vi.advanceTimersByTimeAsync(300_000));
  await seal(3);
  await notify();
  expect(await within(2, results)).toHaveLength(3);
  expect(run.ledger).toMatchObject({ inputs: 3, ok: 3, sealed: true });
  await close();
});

it('a remote seeder trusts only the tags, and reads them at most once a second, however many notices arrive', async () => {
  const { looks, seal, notify, results, run, close } = await seeding();
  await within(320, vi.advanceTimersByTimeAsync(300_000));
  const before = looks();
  for (let n = 0; n < 200; n++) {
    await notify();
    await vi.advanceTimersByTimeAsync(50);
  }
  expect(looks() - before).toBeLessThanOrEqual(12);
  expect(run.ledger).toMatchObject({ ok: 3, sealed: false });
  await seal(3);
  await notify();
  expect(await within(3, results)).toHaveLength(3);
  await close();
});

it('a remote seeder continues when its reads are throttled', async () => {
  const { throttle, seal, results, close } = await seeding();
  throttle(true);
  await within(700, vi.advanceTimersByTimeAsync(600_000));
  throttle(false);
  await seal(3);
  expect(await within(60, results)).toHaveLength(3);
  await close();
});

it('a patient seeder waits for a queue that SQS does not find for a moment', async () => {
  const { client, deployment } = await virtualDeployment([echo]);
  const { names } = deployment;
  const runId = newRunId();
  const options = { sqs: client, names, runId, ledger: new RunLedger() };
  const hasty = new RemoteSeeder(options);
  const patient = new RemoteSeeder({ ...options, isPatient: true });
  const gone = expect(hasty.queueUrl).rejects.toMatchObject({ code: 'UnknownRun' });
  await within(5, gone);
  await createRunQueue(client, names, runId, {});
  expect(await within(20, patient.queueUrl)).toContain(runId);
  patient.stop();
});
