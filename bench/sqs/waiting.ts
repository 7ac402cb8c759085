import type { SQSClient } from '@aws-sdk/client-sqs';
import { createSqsClient } from '../../src/local/sqs/index.ts';
import { json } from '../../src/local/sqs/protocols/json.ts';
import { inProcess, type Service } from '../../src/local/transport.ts';

export interface WaitingSqsOptions {
  /** How long SQS takes over a call, in milliseconds. */
  callMs: number;
  /** The bodies of the messages that a receive returns, if it returns any. */
  receive(): readonly string[];
}

/** An SQS that does nothing but wait and count: what its caller achieves is the caller's own. */
export class WaitingSqs {
  readonly client: SQSClient;
  /** Receives that wait for their answer. */
  receiving = 0;
  receives = 0;
  deleteCalls = 0;
  deletedMessages = 0;
  readonly #options: WaitingSqsOptions;

  constructor(options: WaitingSqsOptions) {
    this.#options = options;
    this.client = createSqsClient(undefined, {
      requestHandler: inProcess(this.#service),
      md5: false,
    });
  }

  readonly #service: Service = async ({ headers, body }) => {
    const { callMs, receive } = this.#options;
    if (headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage') {
      this.receives++;
      this.receiving++;
      await after(callMs);
      this.receiving--;
      const Messages = receive().map((Body, at) => ({ Body, ReceiptHandle: String(at) }));
      return json.response(Messages.length > 0 ? { Messages } : {}, '', 'waiting');
    }
    const { Entries } = JSON.parse(String(body)) as { Entries: { Id: string }[] };
    this.deleteCalls++;
    await after(callMs);
    this.deletedMessages += Entries.length;
    const Successful = Entries.map(({ Id }) => ({ Id }));
    return json.response({ Successful }, '', 'waiting');
  };
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
