import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
  type SendMessageCommandInput,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Sqs } from '../../src/emulator/sqs/index.ts';

/** The service that a queue is at. */
export interface QueueHost {
  readonly client: SQSClient;
  readonly isLocal: boolean;
  readonly sqs: Sqs;
}

/** A queue with the operations that tests use. */
export class TestQueue {
  readonly world: QueueHost;
  readonly url: string;
  readonly name: string;

  constructor(world: QueueHost, url: string, name: string) {
    this.world = world;
    this.url = url;
    this.name = name;
  }

  send(MessageBody: string, more: Partial<SendMessageCommandInput> = {}) {
    return this.world.client.send(
      new SendMessageCommand({ QueueUrl: this.url, MessageBody, ...more }),
    );
  }

  /** To a FIFO queue. */
  async sendIn(MessageGroupId: string, ...bodies: string[]): Promise<void> {
    for (const body of bodies) await this.send(body, { MessageGroupId });
  }

  batch(Entries: SendMessageBatchRequestEntry[]) {
    return this.world.client.send(new SendMessageBatchCommand({ QueueUrl: this.url, Entries }));
  }

  /** Up to ten messages, with all system attributes. */
  async receive(
    more: Partial<ReceiveMessageCommandInput> = {},
    abortSignal?: AbortSignal,
  ): Promise<Message[]> {
    const { Messages } = await this.world.client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.url,
        MaxNumberOfMessages: 10,
        MessageSystemAttributeNames: ['All'],
        // A short poll on AWS may miss messages.
        ...(this.world.isLocal ? {} : { WaitTimeSeconds: 1 }),
        ...more,
      }),
      abortSignal && { abortSignal },
    );
    return Messages ?? [];
  }

  /** Receives exactly one message, or fails. */
  async one(more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message> {
    const [message, ...others] = await this.receive(more);
    if (message && others.length === 0) return message;
    throw new Error(`Expected one message, but ${others.length + (message ? 1 : 0)} came.`);
  }

  async bodies(more: Partial<ReceiveMessageCommandInput> = {}): Promise<(string | undefined)[]> {
    return (await this.receive(more)).map(({ Body }) => Body);
  }

  delete({ ReceiptHandle }: Message) {
    return this.world.client.send(new DeleteMessageCommand({ QueueUrl: this.url, ReceiptHandle }));
  }

  hide({ ReceiptHandle }: Message, VisibilityTimeout: number) {
    const input = { QueueUrl: this.url, ReceiptHandle, VisibilityTimeout };
    return this.world.client.send(new ChangeMessageVisibilityCommand(input));
  }

  purge() {
    return this.world.client.send(new PurgeQueueCommand({ QueueUrl: this.url }));
  }

  set(Attributes: Record<string, string>) {
    return this.world.client.send(
      new SetQueueAttributesCommand({ QueueUrl: this.url, Attributes }),
    );
  }

  async attributes(...names: string[]): Promise<Record<string, string>> {
    const { Attributes } = await this.world.client.send(
      new GetQueueAttributesCommand({
        QueueUrl: this.url,
        AttributeNames: (names.length > 0 ? names : ['All']) as 'All'[],
      }),
    );
    return Attributes ?? {};
  }

  async arn(): Promise<string> {
    return (await this.attributes('QueueArn')).QueueArn ?? '';
  }

  /** Bodies and states of all messages in the queue; local only. */
  peek(): [body: string, state: string][] {
    return this.world.sqs.peek(this.name).map(({ body, state }) => [body, state]);
  }
}

export interface Refusal {
  name: string;
  message: string;
  status: number;
}

/** The error of a call, as the SDK throws it, without the words that only Query adds. */
export async function refusal(call: Promise<unknown>): Promise<Refusal> {
  const error: unknown = await call.then(
    (answer) => new Error(`Expected a refusal, but this came: ${JSON.stringify(answer)}`),
    (error: unknown) => error,
  );
  if (!(error instanceof Error && '$metadata' in error)) throw error;
  const { httpStatusCode: status = 0 } = error.$metadata as { httpStatusCode?: number };
  const message = error.message.replace(' for this wsdl version.', '.');
  return { name: error.name, message, status };
}

/** AWS's text for an invalid parameter value. */
export function badValue(parameter: string, value: unknown, reason: string): Refusal {
  const message = `Value ${value} for parameter ${parameter} is invalid. Reason: ${reason}`;
  return { name: 'InvalidParameterValue', message, status: 400 };
}

export const NO_QUEUE: Refusal = {
  name: 'QueueDoesNotExist',
  message: 'The specified queue does not exist.',
  status: 400,
};
