// node million.ts standard|fifo
//
// Cost of a send, a receive and a delete on a queue of a thousand messages of 1 KiB, and on one of
// a million. A tenth of the messages are in flight. On a FIFO queue, a group has 50 messages: a
// million gives 10,000 locked groups and 10,000 open ones. Prints JSON.
import { Sqs } from '../../src/emulator/sqs/index.ts';
import type { ServiceRequest } from '../../src/emulator/transport/index.ts';
import { median } from '../measure.ts';
import type { Calls } from './calls.ts';
import { bodyOf1KiB, outputOf, serviceRequest } from './requests.ts';

const THOUSAND = 1_000;
const MILLION = 1_000_000;
const CYCLES = 300;
const ROUNDS = 31;

export interface Depths {
  thousand: Calls;
  million: Calls;
}

const isFifo = process.argv[2] === 'fifo';
const sqs = new Sqs();
let sent = 0;

await costs('warm-up', THOUSAND);
const result: Depths = {
  thousand: await costs('thousand', THOUSAND),
  million: await costs('million', MILLION),
};
console.log(JSON.stringify(result));

async function costs(name: string, messages: number): Promise<Calls> {
  const QueueUrl = await createQueue(name);
  const groups = messages / 50;
  for (let first = 0; first < messages; first += 10) {
    const Entries = Array.from({ length: 10 }, (_, place) => ({
      Id: String(place),
      ...message((first + place) % groups),
    }));
    outputOf(await sqs.service(serviceRequest('SendMessageBatch', { QueueUrl, Entries })));
  }
  const receiveTen = serviceRequest('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10 });
  for (let inFlight = 0; inFlight < messages / 10; inFlight += 10) {
    const { Messages } = outputOf(await sqs.service(receiveTen));
    if (Messages?.length !== 10) throw new Error(`Expected ten of ${messages} messages.`);
  }
  const rounds: Calls[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await cycles(QueueUrl, groups));
  return {
    send: median(rounds.map((round) => round.send)),
    receive: median(rounds.map((round) => round.receive)),
    delete: median(rounds.map((round) => round.delete)),
  };
}

async function createQueue(name: string): Promise<string> {
  const request = serviceRequest('CreateQueue', {
    QueueName: isFifo ? `${name}.fifo` : name,
    Attributes: { VisibilityTimeout: '43200', ...(isFifo ? { FifoQueue: 'true' } : {}) },
  });
  return outputOf(await sqs.service(request)).QueueUrl;
}

/** Measures microseconds per call. Each message is deleted before the next, to keep the depth. */
async function cycles(QueueUrl: string, groups: number): Promise<Calls> {
  const micros: Calls = { send: 0, receive: 0, delete: 0 };
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    // In the second half of the groups, since messages in flight lock the first half.
    const open = groups / 2 + (cycle % (groups / 2));
    await timed('send', serviceRequest('SendMessage', { QueueUrl, ...message(open) }));
    const received = await timed('receive', serviceRequest('ReceiveMessage', { QueueUrl }));
    const [{ ReceiptHandle }] = received.Messages;
    await timed('delete', serviceRequest('DeleteMessage', { QueueUrl, ReceiptHandle }));
  }
  return micros;

  async function timed(action: keyof Calls, request: ServiceRequest) {
    const began = performance.now();
    const answer = await sqs.service(request);
    micros[action] += ((performance.now() - began) * 1_000) / CYCLES;
    return outputOf(answer);
  }
}

function message(group: number): object {
  const place = ++sent;
  const MessageBody = bodyOf1KiB(place);
  if (!isFifo) return { MessageBody };
  return {
    MessageBody,
    MessageGroupId: `group-${group}`,
    MessageDeduplicationId: `message-${place}`,
  };
}
