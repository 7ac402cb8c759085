// node calls.ts ENTRIES
//
// The service's own cost of a send, a receive and a delete of ENTRIES messages of 1 KiB each, one
// call at a time: the time of `service` for prepared requests, without client and transport. Prints
// the microseconds per call, as medians over rounds, as JSON.
import { Sqs } from '../../src/emulator/sqs/index.ts';
import type { ServiceRequest, ServiceResponse } from '../../src/emulator/transport/index.ts';
import { median } from '../measure.ts';
import { bodyOf1KiB, outputOf, serviceRequest } from './requests.ts';

const CALLS = 1_000;
const ROUNDS = 31;

/** Microseconds per call. */
export interface Calls {
  send: number;
  receive: number;
  delete: number;
}

interface Message {
  ReceiptHandle: string;
}

const entries = Number(process.argv[2]);
const ids = Array.from({ length: entries }, (_, id) => String(id));
const sqs = new Sqs();
const { QueueUrl } = outputOf(
  await sqs.service(serviceRequest('CreateQueue', { QueueName: 'calls' })),
);
// The first third warms up.
const rounds: Calls[] = [];
for (let round = 0; round < ROUNDS; round++) rounds.push(await cycle());
const warm = rounds.slice(10);
const result: Calls = {
  send: median(warm.map(({ send }) => send)),
  receive: median(warm.map((one) => one.receive)),
  delete: median(warm.map((one) => one.delete)),
};
console.log(JSON.stringify(result));

async function cycle(): Promise<Calls> {
  const sent = await timed(Array.from({ length: CALLS }, (_, place) => send(place)));
  const received = await timed(
    Array.from({ length: CALLS }, () =>
      serviceRequest('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: entries }),
    ),
  );
  const deleted = await timed(received.answers.map((answer) => remove(outputOf(answer).Messages)));
  return { send: sent.micros, receive: received.micros, delete: deleted.micros };
}

function send(place: number): ServiceRequest {
  if (entries === 1) {
    return serviceRequest('SendMessage', { QueueUrl, MessageBody: bodyOf1KiB(place) });
  }
  const Entries = ids.map((Id) => ({ Id, MessageBody: bodyOf1KiB(place * entries + Number(Id)) }));
  return serviceRequest('SendMessageBatch', { QueueUrl, Entries });
}

function remove(messages: readonly Message[]): ServiceRequest {
  if (messages.length !== entries) throw new Error(`Expected ${entries}, got ${messages.length}.`);
  const handles = messages.map(({ ReceiptHandle }) => ReceiptHandle);
  if (entries === 1) {
    return serviceRequest('DeleteMessage', { QueueUrl, ReceiptHandle: handles[0] });
  }
  const Entries = handles.map((ReceiptHandle, id) => ({ Id: ids[id], ReceiptHandle }));
  return serviceRequest('DeleteMessageBatch', { QueueUrl, Entries });
}

async function timed(
  requests: readonly ServiceRequest[],
): Promise<{ micros: number; answers: ServiceResponse[] }> {
  const answers: ServiceResponse[] = [];
  const began = performance.now();
  for (const request of requests) answers.push(await sqs.service(request));
  return { micros: ((performance.now() - began) * 1_000) / requests.length, answers };
}
