// node load.ts URL MESSAGES [--batches]
//
// Sends, receives and deletes messages of 1 KiB over 16 connections, or in batches of ten over 64.
// Prints the seconds that each kind took, as JSON. All requests of a kind are signed before its
// clock starts.
import { parseArgs } from 'node:util';
import { Connections } from './connections.ts';
import { bodyOf1KiB } from './requests.ts';
import { requestSigner } from './sign.ts';

const WARM_UP = 3_000;
const BATCH = 10;

/** Seconds. */
export interface Load {
  send: number;
  receive: number;
  delete: number;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    batches: { type: 'boolean', default: false },
  },
});
const [url = '', messages = ''] = positionals;
const connections = await Connections.open(url, values.batches ? 64 : 16);
const sign = requestSigner(new URL(url).host);
const QueueUrl = await createQueue();
await cycle(WARM_UP);
console.log(JSON.stringify(await cycle(Number(messages))));
connections.close();

async function createQueue(): Promise<string> {
  const request = sign('CreateQueue', {
    QueueName: 'load',
    Attributes: { VisibilityTimeout: '3600' },
  });
  const [answer] = await connections.exchange([request]);
  return JSON.parse(String(answer)).QueueUrl;
}

async function cycle(count: number): Promise<Load> {
  const places = Array.from({ length: count }, (_, place) => place);
  const sent = await timed(values.batches ? sendBatches(places) : places.map(sendOne));
  const receive = sign('ReceiveMessage', {
    QueueUrl,
    MaxNumberOfMessages: values.batches ? BATCH : 1,
  });
  const received = await timed(sent.bodies.map(() => receive));
  const deleted = await timed(received.bodies.map((body) => remove(String(body))));
  return { send: sent.seconds, receive: received.seconds, delete: deleted.seconds };
}

function sendOne(place: number): Buffer {
  return sign('SendMessage', { QueueUrl, MessageBody: bodyOf1KiB(place) });
}

function sendBatches(places: number[]): Buffer[] {
  const batches: Buffer[] = [];
  for (let first = 0; first < places.length; first += BATCH) {
    const some = places.slice(first, first + BATCH);
    const Entries = some.map((place) => ({ Id: String(place), MessageBody: bodyOf1KiB(place) }));
    batches.push(sign('SendMessageBatch', { QueueUrl, Entries }));
  }
  return batches;
}

function remove(received: string): Buffer {
  const messages: { ReceiptHandle: string }[] = JSON.parse(received).Messages;
  const [{ ReceiptHandle } = { ReceiptHandle: '' }] = messages;
  if (!values.batches) return sign('DeleteMessage', { QueueUrl, ReceiptHandle });
  const Entries = messages.map((message, id) => ({
    Id: String(id),
    ReceiptHandle: message.ReceiptHandle,
  }));
  return sign('DeleteMessageBatch', { QueueUrl, Entries });
}

async function timed(requests: readonly Buffer[]): Promise<{ seconds: number; bodies: Buffer[] }> {
  const began = performance.now();
  const bodies = await connections.exchange(requests);
  return { seconds: (performance.now() - began) / 1_000, bodies };
}
