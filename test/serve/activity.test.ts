import {
  CreateQueueCommand,
  DeleteQueueCommand,
  ListQueuesCommand,
  TagQueueCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { listen } from '../../src/emulator/transport/index.ts';
import { announcing } from '../../src/endpoint/announced-workers.ts';
import { sqsOf } from '../../src/endpoint/clients.ts';
import { namesOf, newRunId } from '../../src/pipeline/names.ts';
import { Activity } from '../../src/serve/activity.ts';

const names = namesOf('fanfold');
let lines: string[] = [];
let lost: string[] = [];
let activity: Activity;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
  lines = [];
  lost = [];
  activity = new Activity(
    names,
    (line) => lines.push(line),
    (name) => lost.push(name),
  );
});
afterEach(() => {
  activity.close();
  vi.useRealTimers();
});

/** The lines since the last call, with `ID` for run ids. */
function printed(): string[] {
  return lines.splice(0).map((line) => line.replace(/\d{8}T\d{9}-\w+/, 'ID'));
}

it('runs are reported as their queues are created and deleted, with counts', async () => {
  const client = createSqsClient(new Sqs({ strictTiming: false, onQueue: activity.onQueue }));
  const create = async (task: string) => {
    const QueueName = names.run(newRunId());
    return (await client.send(new CreateQueueCommand({ QueueName, tags: { task } }))).QueueUrl;
  };
  await client.send(new CreateQueueCommand({ QueueName: 'mail' }));
  const QueueUrl = await create('resize');
  await create('sleep');
  vi.advanceTimersByTime(12_000);
  expect(printed()).toEqual([
    'run ID began: resize (1 run in progress)',
    'run ID began: sleep (2 runs in progress)',
  ]);
  await client.send(new TagQueueCommand({ QueueUrl, Tags: { total: '1' } }));
  await client.send(new DeleteQueueCommand({ QueueUrl }));
  vi.advanceTimersByTime(1_000);
  expect(printed()).toEqual(['run ID ended after 12 s: resize, 1 input (1 run in progress)']);
});

it('runs that a store had are reported as continuing', () => {
  const tags = new Map([['task', 'resize']]);
  activity.onQueue({ change: 'restored', name: names.run(newRunId()), tags });
  activity.close();
  expect(printed()).toEqual(['run ID continues: resize (1 run in progress)']);
});

it('workers join once, and leave when they say so or fall silent', () => {
  activity.seen({ name: 'desk-1', count: 4 });
  activity.seen({ name: 'rack-2', count: 1 });
  for (let second = 0; second < 60; second++) {
    activity.seen({ name: 'desk-1', count: 4 });
    vi.advanceTimersByTime(1_000);
  }
  activity.seen({ name: 'desk-1', count: 0 });
  activity.seen({ name: 'desk-1', count: 0 });
  activity.close();
  expect(printed()).toEqual([
    'desk-1 joined with 4 workers (4 workers in all)',
    'rack-2 joined with 1 worker (5 workers in all)',
    'rack-2 left (4 workers in all)',
    'desk-1 left (0 workers in all)',
  ]);
  expect(lost).toEqual(['rack-2']);
});

it('workers whose machine has closed its connection have left after a moment', async () => {
  const credentials = { accessKeyId: 'KEY', secretAccessKey: 'SECRET' };
  const service = activity.watching(new Sqs().signedService([credentials]));
  await using server = await listen(service);
  const place = { endpoint: server.url, region: 'us-east-1', credentials };
  const client = announcing(sqsOf(place), { name: 'desk-1', count: 2 });
  await client.send(new ListQueuesCommand({}));
  vi.advanceTimersByTime(5_000);
  expect([activity.workers, lost]).toEqual([2, []]);
  client.destroy();
  await vi.waitFor(() => {
    vi.advanceTimersByTime(1_000);
    expect(lost).toEqual(['desk-1']);
  });
  expect(performance.now()).toBeLessThan(14_000);
});

it('many events at once are summed up', () => {
  for (let n = 0; n < 500; n++) activity.seen({ name: `desk-${n}`, count: 1 });
  activity.close();
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toBe('490 more runs or workers came or went');
});

it('only verified requests can announce workers', async () => {
  const credentials = { accessKeyId: 'KEY', secretAccessKey: 'SECRET' };
  const sqs = new Sqs();
  await using server = await listen(activity.watching(sqs.signedService([credentials])));
  for (const secretAccessKey of ['wrong', 'SECRET']) {
    const signed = { ...credentials, secretAccessKey };
    const place = { endpoint: server.url, region: 'us-east-1', credentials: signed };
    const client = announcing(sqsOf(place), { name: `with-${secretAccessKey}`, count: 2 });
    await client.send(new ListQueuesCommand({})).catch(() => {});
    client.destroy();
  }
  activity.close();
  expect(lines).toEqual(['with-SECRET joined with 2 workers (2 workers in all)']);
});
