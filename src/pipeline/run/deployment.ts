import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import type { Names } from '../names.ts';
import { findQueue } from './queues.ts';

/** Where runs go: the clients, and the names that the deployment's parts have. */
export interface Deployment {
  sqs: SQSClient;
  lambda: LambdaClient;
  names: Names;
  /** Whether counts of messages are behind: AWS's are. @default false */
  countsLate?: boolean;
  /** Bytes of inputs and results that a run may have out at once, where its queues are in memory. */
  windowBytes?: number;
  /** Keeps this process until a promise settles, where nothing of the deployment does. */
  keep?: <T>(awaited: Promise<T>) => Promise<T>;
}

/** @param missing what was looked for in vain, such as `queue Photos-tasks` */
export function noDeployment({ name }: Names, missing: string, cause?: Error): FanfoldError {
  return new FanfoldError(
    'BadOption',
    `There is no deployment "${name}" where it was looked for: its ${missing} was not found. Check the name, the account and the region.`,
    { cause },
  );
}

/**
 * Checks that a deployment is there. The answer also sets the client's clock, before a run id has
 * its time from it.
 *
 * @throws FanfoldError `BadOption` when it is not
 */
export async function checkDeployment({
  sqs,
  names,
}: Pick<Deployment, 'sqs' | 'names'>): Promise<void> {
  const url = await findQueue(sqs, names.tasks);
  if (url === undefined) throw noDeployment(names, `queue ${names.tasks}`);
}
