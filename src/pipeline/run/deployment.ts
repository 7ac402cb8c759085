import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { FanfoldError } from '../../errors.ts';
import type { PriceTable } from '../../planning/price-table.ts';
import type { WorkerDeath } from '../../report/workers.ts';
import type { Used } from '../messages/used.ts';
import type { Names } from '../names.ts';
import type { Payloads } from './payloads.ts';
import { findQueue } from './queues.ts';

/** What a deployment on AWS is billed for, as far as this process knows. */
export interface Metered {
  readonly region: string;
  /** What this process itself has used for a run; undefined if nothing. */
  usedFor(runId: string): Used | undefined;
}

/** The clients that reach a deployment, and the names of its parts. */
export interface Deployment {
  sqs: SQSClient;
  lambda: LambdaClient;
  names: Names;
  /** Whether message counts are out of date, as AWS's are. @default false */
  countsLate?: boolean;
  /** Bytes of inputs and results that a run may have outstanding, if its queues are in memory. */
  windowBytes?: number;
  /** Bodies of the task messages that no worker has received, if the queues are in this process. */
  waiting?: () => string[];
  /** @default nothing is billed there */
  metered?: Metered | undefined;
  /** Prices of what is billed. @default AWS's public ones */
  prices?: PriceTable | undefined;
  /** Inputs and outputs that no message can hold. @default there can be none */
  payloads?: Payloads;
  /** Whether other processes look at its runs. @default false */
  isShared?: boolean;
  /** Deaths of its worker processes, the last thousand. @default they are not known */
  deaths?: readonly WorkerDeath[];
  /** Keeps this process alive until a promise settles, if nothing in the deployment does. */
  keep?: <T>(awaited: Promise<T>) => Promise<T>;
}

/** @param missing the part that was not found, such as `queue Photos-tasks` */
export function noDeployment({ name }: Names, missing: string, cause?: Error): FanfoldError {
  return new FanfoldError(
    'BadOption',
    `The deployment "${name}" was not found: it has no ${missing}. Check the name, the account and the region.`,
    { cause },
  );
}

/**
 * The URL of a deployment's queue. The answer also sets the client's clock, before a run id takes
 * its time from it.
 *
 * @param queue its name. @default the task queue
 * @throws FanfoldError `BadOption` when the deployment does not exist
 */
export async function queueOf(
  { sqs, names }: Pick<Deployment, 'sqs' | 'names'>,
  queue: string = names.tasks,
): Promise<string> {
  const url = await findQueue(sqs, queue);
  if (url === undefined) throw noDeployment(names, `queue ${queue}`);
  return url;
}
