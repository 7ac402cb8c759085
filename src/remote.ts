import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { explaining } from './aws-errors.ts';
import { lambdaOf, sqsOf } from './local/served/clients.ts';
import { findConnection } from './local/served/find.ts';
import { reach } from './local/served/reach.ts';
import type { World } from './local/world.ts';
import { namesOf } from './pipeline/names.ts';

export interface RemoteOptions {
  /** The deployment's name. */
  name: string;
  /** How many workers chunks are cut for. */
  workers: number;
}

/** A connection that was cut says nothing. A long poll takes 20 s, a page of inputs longer. */
const WAITING = { requestTimeout: 40_000, throwOnRequestTimeout: true };
const SEEDING = { requestTimeout: 120_000, throwOnRequestTimeout: true };

/** A deployment on AWS: its tasks and workers are there. Nothing is asked of it yet. */
export function openStack(options: RemoteOptions): World {
  const { name } = options;
  const sqs = explaining(new SQSClient({ requestHandler: WAITING }), name);
  const lambda = explaining(new LambdaClient({ requestHandler: SEEDING }), name);
  return remote({ ...options, countsLate: true }, sqs, lambda);
}

/** A deployment where a server is: it is there, and knows the secret. */
export async function openServed(options: RemoteOptions & { endpoint: string }): Promise<World> {
  const connection = await findConnection(options.endpoint);
  await reach(connection, namesOf(options.name));
  return remote(options, sqsOf(connection), lambdaOf(connection));
}

function remote(
  { name, workers, countsLate = false }: RemoteOptions & { countsLate?: boolean },
  sqs: SQSClient,
  lambda: LambdaClient,
): World {
  return {
    deployment: { sqs, lambda, names: namesOf(name), workers, countsLate },
    tasks: undefined,
    add() {},
    async close() {
      sqs.destroy();
      lambda.destroy();
    },
  };
}
