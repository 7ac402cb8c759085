import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Sqs } from '../src/emulator/sqs/index.ts';
import type { Benchmark, Figure } from './benchmark.ts';
import { atLeast, percent, perSecond } from './format.ts';
import { inTurns } from './measure.ts';
import { startServer } from './server-process.ts';
import type { Load } from './sqs/load.ts';
import { bodyOf1KiB, outputOf, serviceRequest } from './sqs/requests.ts';
import { rate, runLoad, SERVE, signatureNote } from './sqs/run-load.ts';

const MESSAGES = 30_000;
const HTTP_SERVER = fileURLToPath(new URL('./bare/http-server.ts', import.meta.url));

/** Overhead of SQS on a port compared to plain HTTP. */
export const sqsHttp: Benchmark = {
  name: 'sqs-http',
  about:
    'signed requests of 1 KiB messages over 16 connections, server and load in separate processes; baseline: a node:http server that reads and writes the same bytes',
  async run(bench) {
    const answers = await writeAnswers(bench.folder);
    await using ours = await startServer([SERVE], bench.signal);
    await using bare = await startServer([HTTP_SERVER, answers], bench.signal);
    const [our, their] = await inTurns(
      3,
      () => runLoad(bench, ours.url, MESSAGES),
      () => runLoad(bench, bare.url, MESSAGES),
    );
    const note = await signatureNote(ours.url);
    return [
      figure(`SendMessage${note}`, our, their, 'send'),
      figure(`ReceiveMessage${note}`, our, their, 'receive'),
      figure(`DeleteMessage${note}`, our, their, 'delete'),
    ];
  },
};

function figure(what: string, ours: Load[], bare: Load[], action: keyof Load): Figure {
  const ourRate = rate(ours, action, MESSAGES);
  const bareRate = rate(bare, action, MESSAGES);
  return {
    what,
    ours: perSecond(ourRate, 'requests'),
    baseline: perSecond(bareRate, 'requests'),
    ratio: percent(ourRate / bareRate),
    goal: atLeast(ourRate / bareRate, 0.5, percent),
  };
}

/** Writes the responses of an SQS to the load's requests to a file, by their X-Amz-Target. */
async function writeAnswers(folder: string): Promise<string> {
  const sqs = new Sqs();
  const answers: Record<string, object> = {};
  const ask = async (action: string, parameters: object) => {
    const answer = await sqs.service(serviceRequest(action, parameters));
    answers[`AmazonSQS.${action}`] = { headers: answer.headers, body: String(answer.body) };
    return outputOf(answer);
  };
  const { QueueUrl } = await ask('CreateQueue', { QueueName: 'load' });
  await ask('SendMessage', { QueueUrl, MessageBody: bodyOf1KiB(0) });
  const { Messages } = await ask('ReceiveMessage', { QueueUrl });
  await ask('DeleteMessage', { QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle });
  const path = join(folder, 'answers.json');
  writeFileSync(path, JSON.stringify(answers));
  return path;
}
