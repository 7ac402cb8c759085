// Collects a run into an S3 that only waits, from an SQS that only waits; prints its time as JSON.
import { parseArgs } from 'node:util';
import { createLambdaClient, Lambda } from '../../src/emulator/lambda/index.ts';
import { createS3Client, S3 } from '../../src/emulator/s3/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { json } from '../../src/emulator/sqs/protocols/json.ts';
import { inProcess, type Service } from '../../src/emulator/transport/index.ts';
import { FORMATS } from '../../src/outputs/formats.ts';
import { ResultDraft } from '../../src/pipeline/messages/result-message.ts';
import { namesOf, newRunId } from '../../src/pipeline/names.ts';
import { createRunQueue } from '../../src/pipeline/run/queues.ts';
import { collectStored } from '../../src/pipeline/storing/collect-stored.ts';
import { newStoredRun } from '../../src/pipeline/storing/state.ts';
import { StateObject } from '../../src/pipeline/storing/state-object.ts';

const { values } = parseArgs({
  options: {
    results: { type: 'string', default: '10000000' },
    /** Results in a message. */
    each: { type: 'string', default: '100' },
    /** Milliseconds of each call. */
    call: { type: 'string', default: '20' },
    format: { type: 'string', default: 'jsonl' },
  },
});
const [total, each, callMs] = [values.results, values.each, values.call].map(Number) as [
  number,
  number,
  number,
];

const format = FORMATS.find((one) => one === values.format) ?? 'jsonl';

const runId = newRunId();
const names = namesOf('bench');
const folder = { bucket: 'results-of-bench', prefix: `runs/${runId}/` };
const later = () => new Promise((resolve) => setTimeout(resolve, callMs));

let next = 0;
/** A message of the next results; undefined once all are received. */
function message(): string | undefined {
  if (next >= total) return undefined;
  const draft = new ResultDraft();
  for (const until = Math.min(total, next + each); next < until; next++) {
    draft.add(next, `{"index":${next},"status":"ok","output":{"n":${next}},"ms":100}`, true);
  }
  return draft.body(runId, 'worker');
}

const sqs = new Sqs();
const waitingSqs: Service = async (request) => {
  await later();
  switch (request.headers['x-amz-target']) {
    case 'AmazonSQS.ReceiveMessage': {
      const bodies = Array.from({ length: 10 }, message).filter((body) => body !== undefined);
      const Messages = bodies.map((Body, at) => ({ Body, ReceiptHandle: `${next} ${at}` }));
      return json.response({ Messages }, '', 'waiting');
    }
    case 'AmazonSQS.DeleteMessageBatch': {
      const { Entries } = JSON.parse(String(request.body)) as { Entries: { Id: string }[] };
      return json.response({ Successful: Entries.map(({ Id }) => ({ Id })) }, '', 'waiting');
    }
    default:
      return sqs.service(request);
  }
};

// Objects of results are dropped, so that the memory is the collector's own.
const stored = { parts: 0, bytes: 0 };
const objects = new S3({
  storage: {
    all: () => [],
    write(_shelf, key, _facts, content) {
      const bytes = content.reduce((sum, { length }) => sum + length, 0);
      if (key.includes('/results/')) stored.bytes += bytes;
      if (key.endsWith('state')) states.set(key, Buffer.concat(content));
      else stored.parts++;
    },
    read: (_shelf, key, start, end) => {
      const kept = states.get(key) ?? new Uint8Array(end);
      return new Uint8Array(kept.subarray(start, end));
    },
    remove() {},
    close() {},
  },
});
const states = new Map<string, Uint8Array>();
objects.addBucket(folder.bucket);
const s3 = createS3Client(objects, {
  requestHandler: inProcess(
    async (request) => {
      await later();
      return objects.service(request);
    },
    { streams: true },
  ),
});

const client = createSqsClient(undefined, { requestHandler: inProcess(waitingSqs), md5: false });
const deployment = { sqs: client, lambda: createLambdaClient(new Lambda()), names };
const expiresAt = Date.now() + 86_400_000;
await createRunQueue(client, names, runId, { task: 'echo', state: 'sealed', total, expiresAt });
await StateObject.create(s3, folder, newStoredRun({ runId, task: 'echo', format, expiresAt }));
const began = performance.now();
const collected = await collectStored({
  ...{ deployment, s3, folder, runId, epoch: 0, owner: 'bench' },
  announcer: { started: async () => {}, ended: async () => {} },
  signal: new AbortController().signal,
});
const seconds = (performance.now() - began) / 1_000;
const state = await StateObject.load(s3, folder);
const isWhole = collected.is === 'over' && state?.run.ledger.ok === total;
if (!isWhole) throw new Error(`The run was not collected: ${JSON.stringify(collected)}.`);
console.log(JSON.stringify({ seconds, parts: state.run.parts.length, bytes: stored.bytes }));
process.exit(0);
