import type { SQSClient } from '@aws-sdk/client-sqs';
import { createSqsClient } from '../../src/emulator/sqs/index.ts';
import { json } from '../../src/emulator/sqs/protocols/json.ts';
import { inProcess } from '../../src/emulator/transport/index.ts';

/**
 * An SDK client whose SQS only waits, so that the caller's own cost limits the rate.
 *
 * @param callMs duration of each call, in milliseconds
 * @param receive returns the bodies of the messages for a receive
 */
export function waitingSqs(callMs: number, receive: () => readonly string[]): SQSClient {
  const requestHandler = inProcess(async ({ headers, body }) => {
    await new Promise((resolve) => setTimeout(resolve, callMs));
    if (headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage') {
      const Messages = receive().map((Body, at) => ({ Body, ReceiptHandle: String(at) }));
      return json.response({ Messages }, '', 'waiting');
    }
    const { Entries } = JSON.parse(String(body)) as { Entries: { Id: string }[] };
    return json.response({ Successful: Entries.map(({ Id }) => ({ Id })) }, '', 'waiting');
  });
  return createSqsClient(undefined, { requestHandler, md5: false });
}
