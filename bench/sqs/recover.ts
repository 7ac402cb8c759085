// node recover.ts fill|open DIR MESSAGES
//
// Fills a store with messages of 1 KiB, or opens it and prints the seconds that opening takes.
import { openStore, Sqs } from '../../src/emulator/sqs/index.ts';
import { bodyOf1KiB, outputOf, serviceRequest } from './requests.ts';

const AT_ONCE = 64;

const [, , does = '', folder = '', messages = ''] = process.argv;
const began = performance.now();
const sqs = new Sqs({ store: openStore(folder) });
console.log((performance.now() - began) / 1_000);
if (does === 'fill') {
  await fill(Number(messages));
  // Exits without closing the store, as if killed.
  process.exit();
}
const found = sqs.peek('deep').length;
if (found !== Number(messages)) throw new Error(`Expected ${messages} messages, found ${found}.`);
await sqs.close();

async function fill(count: number): Promise<void> {
  const { QueueUrl } = outputOf(
    await sqs.service(serviceRequest('CreateQueue', { QueueName: 'deep' })),
  );
  let next = 0;
  const sender = async () => {
    while (next < count) {
      const first = next;
      next += 10;
      const Entries = Array.from({ length: 10 }, (_, place) => ({
        Id: String(place),
        MessageBody: bodyOf1KiB(first + place),
      }));
      outputOf(await sqs.service(serviceRequest('SendMessageBatch', { QueueUrl, Entries })));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
}
