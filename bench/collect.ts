import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { MOST_POLLS } from '../src/pipeline/collecting/poll-scaler.ts';
import { ResultReceiver } from '../src/pipeline/collecting/result-receiver.ts';
import { ResultDraft, readResults } from '../src/pipeline/messages/result-message.ts';
import type { Bench, Benchmark, Figure } from './benchmark.ts';
import { atLeast, percent, perSecond } from './format.ts';
import { inTurns, median } from './measure.ts';
import { waitingSqs } from './sqs/waiting.ts';

/** Latency from a laptop to a region on the same continent, in milliseconds. */
const CALL_MS = 60;
const SECONDS = 10;
const ROUNDS = 1;
const GOAL = 5_000;
/** Share of the ideal rate that a collector must reach; it adapts its number of polls. */
const RATIO = 0.7;
const QUEUE_URL = 'http://localhost/000000000000/results';

/** Results per second that one collector receives from a distant SQS. */
export const collect: Benchmark = {
  name: 'collect',
  about: `one collector at ${CALL_MS} ms a call; baseline: ${MOST_POLLS} loops that receive and do nothing else`,
  async run(bench) {
    return [
      await figure(bench, 'ten messages a receive, one result each', [10], 1, true),
      await figure(bench, '1-3 messages a receive, ten results each', [1, 2, 3], 10, true),
      await figure(bench, '1-3 messages a receive, one result each', [1, 2, 3], 1, false),
    ];
  },
};

async function figure(
  { signal }: Bench,
  what: string,
  lengths: readonly number[],
  resultsEach: number,
  hasGoal: boolean,
): Promise<Figure> {
  const body = bodyOf(resultsEach);
  const open = () => {
    let receives = 0;
    const receive = () => Array(lengths[receives++ % lengths.length] ?? 0).fill(body);
    return waitingSqs(CALL_MS, receive);
  };
  const [ours, ideal] = await inTurns(
    ROUNDS,
    () => collected(open(), signal),
    () => received(open(), signal),
  );
  const rate = median(ours);
  const best = median(ideal);
  return {
    what,
    ours: perSecond(rate, 'results'),
    baseline: perSecond(best, 'results'),
    ratio: percent(rate / best),
    goal: hasGoal
      ? atLeast(rate, GOAL, (value) => perSecond(value, 'results'))
      : atLeast(rate / best, RATIO, percent),
  };
}

const RUN_ID = '20270101T000000000-aaaaaaaa';

function bodyOf(results: number): string {
  const draft = new ResultDraft();
  for (let index = 0; index < results; index++) {
    draft.add(index, `{"index":${index},"status":"ok","output":{"n":${index}},"ms":100}`, true);
  }
  return draft.body(RUN_ID, 'worker');
}

/** Measures acknowledged results per second, from the first poll on. */
async function collected(sqs: SQSClient, signal: AbortSignal): Promise<number> {
  const collector = new ResultReceiver(sqs, QUEUE_URL, RUN_ID);
  const begunAt = performance.now();
  const timer = setTimeout(() => collector.close(), SECONDS * 1000);
  let results = 0;
  for await (const delivery of collector.deliveries()) {
    for (const { count } of delivery.batches) results += count;
    collector.acknowledge(delivery);
    if (signal.aborted) break;
  }
  clearTimeout(timer);
  const seconds = (performance.now() - begunAt) / 1000;
  await collector.settled();
  return results / seconds;
}

/** Measures results received by as many bare loops as a collector has polls, without deletes. */
async function received(sqs: SQSClient, signal: AbortSignal): Promise<number> {
  const begunAt = performance.now();
  let results = 0;
  const loop = async () => {
    while (performance.now() - begunAt < SECONDS * 1000 && !signal.aborted) {
      const command = new ReceiveMessageCommand({ QueueUrl: QUEUE_URL, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await sqs.send(command);
      for (const { Body = '' } of Messages) results += readResults(Body, RUN_ID).count;
    }
  };
  await Promise.all(Array.from({ length: MOST_POLLS }, loop));
  return results / ((performance.now() - begunAt) / 1000);
}
