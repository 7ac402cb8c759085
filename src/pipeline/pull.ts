import {
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { CLAIM_SECONDS, Claim } from './claim.ts';
import { wait } from './send.ts';
import type { TaskMessage, Worker } from './work.ts';

export interface PullOptions {
  sqs: SQSClient;
  taskQueueUrl: string;
  worker: Worker;
  /** Ends the loop: at once where it waits for a chunk, else after the chunk in hand. */
  signal: AbortSignal;
  /** Called with each message before it is worked on, and with nothing after it. */
  onMessage?: (message: TaskMessage | undefined) => void;
  /** Told what went wrong with a call or a chunk; the loop goes on. */
  onError?: (error: unknown) => void;
}

/** The longest pause between two tries at a queue that can't be reached, in milliseconds. */
const PAUSE_CAP_MS = 10_000;

/** Takes chunks from the task queue, one at a time, until told to stop or its process is worn out. */
export async function pull(options: PullOptions): Promise<void> {
  const { worker, signal } = options;
  let failures = 0;
  while (!signal.aborted && worker.stuck === 0) {
    try {
      await takeOne(options);
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      options.onError?.(error);
      failures++;
      await wait(Math.random() * Math.min(PAUSE_CAP_MS, 100 * 2 ** failures), signal);
    }
  }
}

async function takeOne({ sqs, taskQueueUrl, worker, signal, onMessage }: PullOptions) {
  const receivedAt = Date.now();
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: taskQueueUrl,
      MaxNumberOfMessages: 1,
      WaitTimeSeconds: 20,
      VisibilityTimeout: CLAIM_SECONDS,
    }),
    { abortSignal: signal },
  );
  for (const message of Messages) {
    const taken = taskMessage(message);
    onMessage?.(taken);
    try {
      const claim = new Claim(sqs, taskQueueUrl, taken.receiptHandle, receivedAt);
      if ((await worker.handle(taken, { claim })) === 'keep') continue;
      await sqs.send(
        new DeleteMessageCommand({ QueueUrl: taskQueueUrl, ReceiptHandle: taken.receiptHandle }),
      );
    } finally {
      onMessage?.(undefined);
    }
  }
}

function taskMessage({ Body = '', ReceiptHandle = '' }: Message): TaskMessage {
  return { body: Body, receiptHandle: ReceiptHandle };
}
