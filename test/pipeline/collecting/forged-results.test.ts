import { InvokeCommand } from '@aws-sdk/client-lambda';
import { SendMessageCommand, TagQueueCommand } from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { defineTask } from '../../../src/index.ts';
import { Run } from '../../../src/pipeline/collecting/run.ts';
import { noticeBody } from '../../../src/pipeline/messages/notice.ts';
import { newRunId } from '../../../src/pipeline/names.ts';
import { findQueue } from '../../../src/pipeline/run/queues.ts';
import { collectRun } from '../../../src/pipeline/runs/collect-run.ts';
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
const range = (length: number) => Array.from({ length }, (_, index) => index);

const FAR = 999_999_999;

/** Messages that a permitted sender other than a worker sends to a run's queue. */
function hostileMessages(runId: string): string[] {
  const other = newRunId();
  const result = (index: number | string) =>
    `{"index":${index},"status":"ok","output":"forged","ms":1}`;
  const message = (lines: string, ofRun = runId, worker = 'w') =>
    `{"v":1,"runId":"${ofRun}","worker":"${worker}","results":[\n${lines}\n]}`;
  return [
    ...[4_294_967_294, 2 ** 32 + 5, 2 ** 53, 1_000_000_000, -1, 0.5, '1e9'].map((index) =>
      message(result(index)),
    ),
    `{"v":1,"runId":"${runId}","worker":"w","ok":[[0,4294967294]],"results":[\n${result(FAR)}\n]}`,
    message(range(20).map(result).join(',\n'), other),
    message(range(20).map(result).join(',\n')).replace('"forged"', 'not JSON'),
    message(`{"index":${FAR},"status":"ok","output":[{"a":1},\n{"index":3}],"ms":1}`),
    message(`{"index":${FAR},"status":"ok","output":1,"ms":1,"index":4294967294}`),
    message(result(3), runId, 'w'.repeat(50_000)),
    `{"v":1,"runId":"${runId}","worker":"w","results":[null,3,"text"]}`,
    'nonsense',
    noticeBody(other, { notice: 'cancel' }),
    noticeBody(other, { notice: 'broken', message: 'Not this run.' }),
    noticeBody(runId, { notice: 'sealed' }),
    ...range(6).flatMap((id) =>
      [4_294_967_294, -1, 0.5].map((index) => {
        const begun = { worker: 'w', index, attempt: 1, message: 'm', id: `${id}` };
        return noticeBody(runId, { notice: 'begun', ...begun });
      }),
    ),
  ];
}

/** Sends hostile messages to the queue of a run while it is collected, and then lets it continue. */
async function attacked(
  { client, deployment, startWorkers }: Awaited<ReturnType<typeof virtualDeployment>>,
  run: Run<number>,
) {
  const lines: string[] = [];
  const collected = (async () => {
    for await (const { text } of run.batches()) lines.push(...text.split('\n'));
  })();
  await within(20, vi.advanceTimersByTimeAsync(10_000));
  const QueueUrl = (await findQueue(client, deployment.names.run(run.runId))) ?? '';
  for (const MessageBody of hostileMessages(run.runId)) {
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody }));
    await vi.advanceTimersByTimeAsync(100);
  }
  startWorkers();
  return { lines, collected };
}

/** The results in lines of output, each of which is JSON. */
const resultsOf = (lines: readonly string[]) =>
  lines.map((line) => JSON.parse(line) as { index: number; output: unknown });

it.each([false, true])(
  'forged results do not change how a run ends: ordered %s',
  async (ordered) => {
    const place = await virtualDeployment([echo]);
    const run = new Run<number>(place.deployment, 'echo', range(20), { ordered });
    const { lines, collected } = await attacked(place, run);
    await within(60, collected);
    const results = resultsOf(lines).sort((one, other) => one.index - other.index);
    expect(results.map(({ output }) => output)).toEqual(range(20));
    expect(run.ledger).toMatchObject({ inputs: 20, ok: 20, failed: 0, cancelled: 0, sealed: true });
    expect(run.cause).toBeUndefined();
    await place.close();
  },
);

it.each([
  { ordered: false, bound: undefined },
  { ordered: true, bound: undefined },
  { ordered: false, bound: '25' },
])(
  'forged results do not change how a run of unknown size ends: %j',
  async ({ ordered, bound }) => {
    const place = await virtualDeployment([echo]);
    const { client, deployment } = place;
    const runId = newRunId();
    const request = { task: 'echo', inputs: range(20), results: 'own', runId, more: true };
    await deployment.lambda.send(
      new InvokeCommand({ FunctionName: deployment.names.seed, Payload: JSON.stringify(request) }),
    );
    const queueUrl = (await findQueue(client, deployment.names.run(runId))) ?? '';
    if (bound) await client.send(new TagQueueCommand({ QueueUrl: queueUrl, Tags: { bound } }));
    const run = await collectRun<number>(deployment, 'echo', runId, { ordered });
    const rss = process.memoryUsage().rss;
    const { lines, collected } = await attacked(place, run);
    expect(run.ledger.inputs).toBeLessThanOrEqual(21);
    expect(process.memoryUsage().rss - rss).toBeLessThan(200_000_000);
    await vi.advanceTimersByTimeAsync(60_000);
    const Tags = { state: 'sealed', total: '20' };
    await client.send(new TagQueueCommand({ QueueUrl: queueUrl, Tags }));
    await within(60, collected);
    // A plausible forged result was yielded, because it was the first of its index.
    const indexes = resultsOf(lines).map(({ index }) => index);
    expect(indexes.filter((index) => index === FAR)).toHaveLength(ordered || bound ? 0 : 1);
    expect(indexes.filter((index) => index !== FAR).sort((a, b) => a - b)).toEqual(range(20));
    expect(run.ledger).toMatchObject({ inputs: 20, ok: 20, failed: 0, cancelled: 0, sealed: true });
    await place.close();
  },
);

it('forged results cannot cause a billion inputs to be reported as lost at the deadline', async () => {
  const place = await virtualDeployment([echo]);
  const { deployment } = place;
  const runId = newRunId();
  const request = { task: 'echo', inputs: range(20), results: 'own', runId, more: true };
  const expiresAt = Date.now() + 120_000;
  await deployment.lambda.send(
    new InvokeCommand({
      FunctionName: deployment.names.seed,
      Payload: JSON.stringify({ ...request, expiresAt }),
    }),
  );
  const run = await collectRun<number>(deployment, 'echo', runId);
  const { lines, collected } = await attacked(place, run);
  const ended = collected.catch((error: unknown) => error);
  expect(await within(300, ended)).toMatchObject({
    code: 'RunFailed',
    message: expect.stringContaining('21 inputs are known'),
  });
  expect(lines).toHaveLength(21);
  await place.close();
});
