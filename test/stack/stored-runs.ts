// Runs of a stack whose results are stored in S3: by invocations of the deployed bundles alone.
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { ListQueuesCommand, TagQueueCommand } from '@aws-sdk/client-sqs';
import { expect } from 'vitest';
import type { SeedRequest } from '../../src/pipeline/messages/seed-request.ts';
import { newRunId } from '../../src/pipeline/names.ts';
import type { Manifest } from '../../src/pipeline/storing/manifest.ts';
import { clientsOf, invoke } from './deployment/clients.ts';
import type { Deployment } from './deployment/deployment.ts';

/** What a request for a stored run is answered with. */
export interface Begun {
  runId: string;
  output: string;
}

/** `aws lambda invoke --function-name Fanfold-seed`, by the operator. */
export async function seeded(stack: Deployment, request: SeedRequest): Promise<Begun> {
  const { returned } = await invoke(clientsOf(stack).lambda, 'Fanfold-seed', request);
  expect(returned).toMatchObject({ output: expect.stringMatching(/^s3:/) });
  return returned as Begun;
}

/** A line of a part. */
interface Line {
  index: number;
  status: string;
  output?: unknown;
  error?: { code: string };
}

export interface Stored {
  manifest: Manifest;
  /** The content of each part, by its key below the run's folder. */
  parts: Record<string, string>;
  /** The lines of all parts in JSON lines, by index. */
  lines: Line[];
}

/**
 * Waits for a run's end, and reads its folder. Checks that it holds what the manifest lists and
 * nothing else, and that its two events were announced.
 */
export async function ended(stack: Deployment, { runId, output }: Begun): Promise<Stored> {
  await expect.poll(() => announced(stack, runId), { timeout: 100_000 }).toContain(ENDED);
  // The run's queue is deleted after the event.
  await expect.poll(() => queuesOf(stack, runId), { timeout: 10_000 }).toEqual([]);
  const [, Bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(output) ?? [];
  const { s3 } = clientsOf(stack, stack.owner);
  const read = async (key: string) => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: `${prefix}${key}` }));
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: prefix }));
  const manifest: Manifest = JSON.parse((await read('manifest.json')).toString());
  const listed = manifest.parts.map(({ key }) => `${prefix}${key}`);
  const records = ['manifest.json', 'state'].map((key) => `${prefix}${key}`);
  expect(Contents.map(({ Key }) => Key).sort()).toEqual([...listed, ...records].sort());
  const parts: Record<string, string> = {};
  for (const { key, bytes, sha256 } of manifest.parts) {
    const content = await read(key);
    expect(content.length).toBe(bytes);
    expect(createHash('sha256').update(content).digest('base64')).toBe(sha256);
    parts[key] = (key.endsWith('.gz') ? gunzipSync(content) : content).toString();
  }
  const lines = Object.entries(parts)
    .filter(([key]) => key.includes('.jsonl'))
    .flatMap(([, text]) => text.trim().split('\n'))
    .map((line): Line => JSON.parse(line))
    .sort((one, other) => one.index - other.index);
  const { ledger } = manifest;
  expect(manifest.parts.reduce((sum, { results }) => sum + results, 0)).toBe(ledger.inputs);
  // Each is announced at least once: a killed collector's successor repeats the first.
  expect([...new Set(announced(stack, runId))]).toEqual(['Fanfold Run Started', ENDED]);
  const event = stack.events.find(
    ({ DetailType, Detail = '' }) => DetailType === ENDED && Detail.includes(runId),
  );
  expect(event?.Source).toBe('fanfold');
  expect(JSON.parse(event?.Detail ?? '')).toEqual({
    ...{ deployment: 'Fanfold', runId, task: manifest.task, ledger, results: output },
    ...(manifest.cause === undefined ? {} : { cause: manifest.cause }),
    manifest: `${output}manifest.json`,
  });
  return { manifest, parts, lines };
}

const ENDED = 'Fanfold Run Ended';

/** The types of a run's events, in the order in which they were announced. */
function announced({ events }: Deployment, runId: string): (string | undefined)[] {
  return events
    .filter(({ Detail = '' }) => Detail.includes(runId))
    .map(({ DetailType }) => DetailType);
}

/** The queues of runs whose ids begin so. */
export async function queuesOf(stack: Deployment, runId = ''): Promise<string[]> {
  const { sqs } = clientsOf(stack, stack.owner);
  const list = new ListQueuesCommand({ QueueNamePrefix: `Fanfold-run-${runId}` });
  return (await sqs.send(list)).QueueUrls ?? [];
}

const COLLECTOR = 'Fanfold-collector';

/** The watchdog's event. */
export function watched(stack: Deployment) {
  return invoke(clientsOf(stack, stack.owner).lambda, COLLECTOR, { watch: true });
}

/**
 * Begins a run, kills its collector's process as it begins to receive, and has the watchdog find it.
 * Results that it held would be visible only after three minutes.
 * The run is of an old id, and its last heartbeat is made old: the watchdog leaves young ones alone.
 */
export async function killedAndRestarted(stack: Deployment, inputs: number): Promise<Begun> {
  const runId = newRunId(Date.now() - 600_000);
  const items = Array.from({ length: inputs }, (_, input) => input);
  const begun = await seeded(stack, { task: 'nap', inputs: items, results: 's3', runId });
  const [QueueUrl = ''] = await queuesOf(stack, runId);
  const started = () => announced(stack, runId);
  await expect.poll(started, { timeout: 30_000, interval: 20 }).toContain('Fanfold Run Started');
  stack.functions.killProcesses(COLLECTOR);
  await expect.poll(() => stack.functions.failures).toContainEqual(expect.stringMatching(KILLED));
  const { sqs } = clientsOf(stack, stack.owner);
  await sqs.send(new TagQueueCommand({ QueueUrl, Tags: { collectedAt: '1' } }));
  expect(await watched(stack)).toEqual({ returned: {} });
  const said = () => stack.functions.log(COLLECTOR).filter((line) => line.includes(runId));
  await expect.poll(said).toContainEqual(expect.stringContaining('was restarted'));
  return begun;
}

/** The failure of a killed collector. */
export const KILLED = /^Fanfold-collector: Runtime.ExitError: .* signal: killed$/;
