// node load.ts URL MESSAGES [--send-only]
//
// Sends, receives and deletes messages of 1 KiB over 16 connections, or only sends them. Prints the
// seconds that each took, as JSON. All requests of a kind are signed before its clock starts.
import { parseArgs } from 'node:util';
import { Connections } from './connections.ts';
import { bodyOf1KiB } from './requests.ts';
import { requestSigner } from './sign.ts';

const CONNECTIONS = 16;
const WARM_UP = 3_000;

/** Seconds. */
export interface Load {
  send: number;
  receive: number;
  delete: number;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'send-only': { type: 'boolean', default: false } },
});
const [url = '', messages = ''] = positionals;
const connections = await Connections.open(url, CONNECTIONS);
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
  const sent = await timed(
    places.map((place) => sign('SendMessage', { QueueUrl, MessageBody: bodyOf1KiB(place) })),
  );
  if (values['send-only']) return { send: sent.seconds, receive: 0, delete: 0 };
  const receive = sign('ReceiveMessage', { QueueUrl });
  const received = await timed(places.map(() => receive));
  const deleted = await timed(
    received.bodies.map((body) => {
      const [{ ReceiptHandle }] = JSON.parse(String(body)).Messages;
      return sign('DeleteMessage', { QueueUrl, ReceiptHandle });
    }),
  );
  return { send: sent.seconds, receive: received.seconds, delete: deleted.seconds };
}

async function timed(requests: readonly Buffer[]): Promise<{ seconds: number; bodies: Buffer[] }> {
  const began = performance.now();
  const bodies = await connections.exchange(requests);
  return { seconds: (performance.now() - began) / 1_000, bodies };
}
