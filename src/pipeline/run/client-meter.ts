import { randomBytes } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { type Used, usedOf } from '../messages/used.ts';
import { countRequests, kindOf, queueOf, s3KindOf } from './count-requests.ts';
import type { Metered } from './deployment.ts';
import { runOfObject } from './payloads.ts';
import { readsTags } from './tags.ts';

/** Runs that a program keeps accounts of. */
const MOST_ACCOUNTS = 1_000;

export interface ClientMeter extends Metered {
  /** Counts the requests of a client for objects of large inputs and outputs. */
  countS3(client: S3Client): void;
}

/**
 * Counts what a program uses for each run that it collects: the requests to the run's own queue and
 * to its objects, and the bytes of their answers, which leave AWS unless the program runs there.
 *
 * @param isInside whether it runs in AWS, where the transfer is free. @default on Lambda, ECS and
 *   CloudShell, which say so
 * @param isAsIf whether it only measures what another deployment would use, as in `MeterOptions`
 */
export function clientMeter(
  sqs: SQSClient,
  region: string,
  isInside = process.env.AWS_EXECUTION_ENV !== undefined,
  isAsIf = false,
): ClientMeter {
  const id = randomBytes(6).toString('base64url');
  let opened = 0;
  const accounts = new Map<string, Used>();
  countRequests(sqs, (call) => {
    if (isAsIf && readsTags(call)) return;
    const queue = queueOf(call);
    const [, runId] = /-run-([\w-]+)$/.exec(queue) ?? [];
    const account = runId === undefined ? undefined : accounts.get(runId);
    if (account === undefined) return;
    account[kindOf(queue)] += call.requests;
    if (!isInside) account.bytes += call.receivedBytes;
  });
  return {
    region,
    countS3(client) {
      countRequests(client, (call) => {
        const account = accounts.get(
          runOfObject(String(call.input.Key ?? call.input.Prefix)) ?? '',
        );
        const kind = s3KindOf(call);
        if (account === undefined) return;
        if (kind) account[kind]++;
        if (!isInside) account.bytes += call.receivedBytes;
      });
    },
    usedFor(runId) {
      // From its first use, which is when the run's handle is made.
      const account = accounts.get(runId) ?? usedOf([`${id}.${opened++}`, 0, 0]);
      accounts.set(runId, account);
      const [oldest] = accounts.keys();
      if (accounts.size > MOST_ACCOUNTS && oldest !== undefined) accounts.delete(oldest);
      return account;
    },
  };
}
