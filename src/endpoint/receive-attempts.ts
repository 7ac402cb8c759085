import { randomUUID } from 'node:crypto';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { RECEIVE_ATTEMPT } from '../emulator/sqs/receive-attempt.ts';
import { isTransient } from '../pipeline/call-errors.ts';

/** The attempts of a worker process: its supervisor's id, its name, and what it receives. */
export function attemptsOf(supervisor: string, worker: string): string {
  return `${supervisor}-${worker}`;
}

/** The id of one of them. @param kind the queue that it receives from */
export function attemptOf(attempts: string, kind: 'tasks' | 'lanes', number: number): string {
  return `${attempts}-${kind}-${number}`;
}

/** Whether an attempt is of a machine's workers: they have its name and a number. */
export function isAttemptOf(machine: string, attempt: string): boolean {
  const [, worker] = /^[\da-f-]{36}-(.+)-\d+-(?:tasks|lanes)-\d+$/.exec(attempt) ?? [];
  return worker === machine;
}

/**
 * Tags each ReceiveMessage with an attempt id, and reuses the id after a lost response, so that a
 * restarted server can redeliver those messages immediately.
 *
 * @param nextId names an attempt that does not repeat one of this client
 */
export function namingAttempts(
  client: SQSClient,
  nextId: (queueUrl: string) => string = () => randomUUID(),
): SQSClient {
  const unanswered = new Map<string, string[]>();
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        if (commandName !== 'ReceiveMessageCommand') return next(args);
        // The request is an HTTP request here, since the client serializes before this step.
        const { QueueUrl = '' } = args.input as { QueueUrl?: string };
        const { headers } = args.request as { headers: Record<string, string> };
        const attempt = unanswered.get(QueueUrl)?.pop() ?? nextId(QueueUrl);
        headers[RECEIVE_ATTEMPT] = attempt;
        try {
          return await next(args);
        } catch (error) {
          if (isTransient(error)) {
            unanswered.set(QueueUrl, [...(unanswered.get(QueueUrl) ?? []), attempt]);
          }
          throw error;
        }
      },
    { step: 'build', name: 'receiveAttempt' },
  );
  return client;
}
