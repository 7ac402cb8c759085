import { CreateQueueCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { expect, it } from 'vitest';
import { createSqsClient, Sqs } from '../../../src/emulator/sqs/index.ts';
import { Deduplicator } from '../../../src/pipeline/collecting/deduplicator.ts';
import { lastBatches, takeLast } from '../../../src/pipeline/collecting/ending.ts';
import { okLine } from '../../../src/pipeline/messages/result.ts';
import { ResultDraft } from '../../../src/pipeline/messages/result-message.ts';
import { namesOf, newRunId } from '../../../src/pipeline/names.ts';
import { RunLedger } from '../../../src/pipeline/run/ledger.ts';
import { findQueue } from '../../../src/pipeline/run/queues.ts';

it('a run that ends early receives every result in its queue before the queue is deleted', async () => {
  const sqs = createSqsClient(new Sqs());
  const names = namesOf('Photos');
  const runId = newRunId();
  const created = await sqs.send(new CreateQueueCommand({ QueueName: names.run(runId) }));
  const QueueUrl = created.QueueUrl ?? '';
  const range = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, at) => from + at);
  // More messages than a receive returns.
  for (const index of range(0, 25)) {
    const draft = new ResultDraft();
    draft.add(index, okLine(index, `${index}`, 1), true);
    const MessageBody = draft.body(runId, 'w');
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));
  }
  const ledger = new RunLedger();
  ledger.seal(30);
  const last = await takeLast(
    { sqs, names },
    {
      about: { runId, task: 'echo', collector: 'c' },
      seeding: {
        ...{ queueUrl: Promise.resolve(QueueUrl), done: Promise.resolve(), total: 30, known: 30 },
        ...{ seeded: 30, isOurs: true, unsent: 30, checkSoon() {}, stop() {} },
      },
      ledger,
      deduplicator: new Deduplicator(ledger, {
        ...{ onCancel() {}, onSealed() {}, onBroken() {}, onFailing() {}, onUsed() {} },
      }),
      why: { is: 'cancelled' },
    },
  );
  const lines = [...lastBatches(last, undefined)].flatMap((batch) => batch.lines);
  const indexesOf = (wanted: string) =>
    lines
      .filter(({ status }) => status === wanted)
      .map(({ index }) => index)
      .sort((a, b) => a - b);
  expect(indexesOf('ok')).toEqual(range(0, 25));
  expect(indexesOf('cancelled')).toEqual(range(25, 30));
  expect(await findQueue(sqs, names.run(runId))).toBeUndefined();
});
