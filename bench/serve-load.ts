// node bench/serve-load.ts [SECONDS] [serve's options]
//
// Loads a `fanfold serve`, by default with --memory, like 200 workers: each has a long poll on its
// own connection, while 1,000 messages per second pass through the server for a minute. Fails on
// any error, on a lost or duplicate message, and if the server's memory grows.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import {
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';

const CONNECTIONS = 200;
const BATCHES_A_SECOND = 100;
const BATCH = 10;
const BODY = 'x'.repeat(1_024);

/** Tolerance for memory that the garbage collector has not freed yet. */
const GROWTH = 1.25;

const [seconds = '60', ...given] = process.argv.slice(2);
const options = given.length > 0 ? given : ['--memory'];
const folder = mkdtempSync(join(tmpdir(), 'fanfold-load-'));
const server = await startServer();
const sqs = clientOf(server.port);
const QueueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: 'load' }))).QueueUrl ?? '';
const stopping = new AbortController();
const received = new Map<string, number>();
const errors: unknown[] = [];
const latencies: number[] = [];
const memory: number[] = [];
let sent = 0;

const workers = Array.from({ length: CONNECTIONS }, () => work());
const watching = setInterval(() => memory.push(residentBytes(server.pid)), 1_000);
await send(Number(seconds));
const deadline = performance.now() + 30_000;
while (received.size < sent && performance.now() < deadline) await wait(100);
clearInterval(watching);
stopping.abort();
await Promise.all(workers);
process.exitCode = report() ? 0 : 1;
sqs.destroy();
server.end();
rmSync(folder, { recursive: true });

/** Sends batches at an even rate, and catches up after delays. */
async function send(forSeconds: number): Promise<void> {
  const began = performance.now();
  const sending: Promise<void>[] = [];
  for (let batch = 0; batch < forSeconds * BATCHES_A_SECOND; batch++) {
    const due = began + (batch * 1_000) / BATCHES_A_SECOND;
    if (due > performance.now()) await wait(due - performance.now());
    const Entries = Array.from({ length: BATCH }, (_, place) => ({
      Id: String(place),
      MessageBody: `${batch * BATCH + place} ${Date.now()} ${BODY}`,
    }));
    const sentBatch = sqs
      .send(new SendMessageBatchCommand({ QueueUrl, Entries }))
      .then(({ Successful = [] }) => {
        sent += Successful.length;
      });
    sending.push(sentBatch.catch(note));
  }
  await Promise.all(sending);
}

async function work(): Promise<void> {
  while (!stopping.signal.aborted) {
    try {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: 20 }),
        { abortSignal: stopping.signal },
      );
      for (const { Body = '' } of Messages) {
        const [id = '', at] = Body.split(' ', 2);
        received.set(id, (received.get(id) ?? 0) + 1);
        latencies.push(Date.now() - Number(at));
      }
      if (Messages.length === 0) continue;
      const Entries = Messages.map(({ ReceiptHandle }, id) => ({ Id: String(id), ReceiptHandle }));
      await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    } catch (error) {
      if (!stopping.signal.aborted) note(error);
    }
  }
}

function note(error: unknown): void {
  errors.push(error);
}

/** Prints the outcome. Returns whether it is as expected. */
function report(): boolean {
  const twice = [...received.values()].filter((times) => times > 1).length;
  const quarter = Math.max(1, Math.floor(memory.length / 4));
  const before = Math.max(...memory.slice(quarter, 2 * quarter));
  const after = Math.max(...memory.slice(-quarter));
  latencies.sort((a, b) => a - b);
  const percentile = (part: number) =>
    `${latencies[Math.floor(latencies.length * part)] ?? '-'} ms`;
  const figures = [
    ['connections', String(CONNECTIONS)],
    ['messages sent', String(sent)],
    ['messages a second', String(Math.round(sent / Number(seconds)))],
    ['received', String(received.size)],
    ['received twice', String(twice)],
    ['errors', String(errors.length)],
    ['send to receive, median', percentile(0.5)],
    ['99 of 100', percentile(0.99)],
    ['memory, second quarter', `${Math.round(before / 1e6)} MB`],
    ['memory, last quarter', `${Math.round(after / 1e6)} MB`],
  ];
  for (const [name = '', figure = ''] of figures) console.log(`${name.padEnd(32)}${figure}`);
  for (const error of errors.slice(0, 3)) console.error(error);
  return errors.length + twice === 0 && received.size === sent && after <= before * GROWTH;
}

function residentBytes(pid: number): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) * 1_024;
}

async function startServer(): Promise<{ pid: number; port: string; end(): void }> {
  const program = new URL('../bin/fanfold.js', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, 'serve', '--port', '0', ...options], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env: { ...process.env, XDG_CONFIG_HOME: folder },
    cwd: folder,
  });
  let said = '';
  for await (const text of child.stderr.setEncoding('utf8')) {
    said += text;
    const port = /serving http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    if (port !== undefined) return { pid: child.pid ?? 0, port, end: () => child.kill() };
  }
  throw new Error(`The server did not start: ${said}`);
}

function clientOf(port: string): SQSClient {
  const left = new URL(readFileSync(join(folder, 'fanfold', `join-${port}`), 'utf8'));
  return new SQSClient({
    endpoint: left.origin,
    region: left.searchParams.get('region') ?? '',
    credentials: { accessKeyId: left.username, secretAccessKey: left.password },
    requestHandler: { httpAgent: { maxSockets: 2 * CONNECTIONS, keepAlive: true } },
    maxAttempts: 1,
  });
}
