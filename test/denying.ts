import { type SQSClient, SQSServiceException } from '@aws-sdk/client-sqs';

/**
 * Denies calls of a client as AWS does, by their command and the name or URL of their queue.
 *
 * @param name of the error
 */
export function denying(
  client: SQSClient,
  isDenied: (command: string, queue: string) => boolean,
  name = 'AccessDenied',
): SQSClient {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        const { QueueUrl, QueueName } = args.input as { QueueUrl?: string; QueueName?: string };
        if (!isDenied(commandName, QueueUrl ?? QueueName ?? '')) return next(args);
        const message = `is not authorized to perform: ${commandName}`;
        const fault = { $fault: 'client', $metadata: { httpStatusCode: 403 } } as const;
        throw new SQSServiceException({ name, message, ...fault });
      },
    { step: 'initialize' },
  );
  return client;
}
