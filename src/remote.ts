import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { explaining } from './aws-errors.ts';
import { lambdaOf, sqsOf } from './local/served/clients.ts';
import { findConnection } from './local/served/find.ts';
import { reach } from './local/served/reach.ts';
import type { World } from './local/world.ts';
import { namesOf } from './pipeline/names.ts';

/** A connection that was cut says nothing. A long poll takes 20 s, a page of inputs longer. */
const WAITING = { requestTimeout: 40_000, throwOnRequestTimeout: true };
const SEEDING = { requestTimeout: 120_000, throwOnRequestTimeout: true };

/** A deployment on AWS: its tasks and workers are there. Nothing is asked of it yet. */
export function openStack(name: string): World {
  return remote(
    name,
    explaining(new SQSClient({ requestHandler: WAITING }), name),
    explaining(new LambdaClient({ requestHandler: SEEDING }), name),
  );
}

/** A deployment where a server is: it is there, and knows the secret. */
export async function openServed(name: string, endpoint: string): Promise<World> {
  const connection = await findConnection(endpoint);
  await reach(connection, namesOf(name));
  return remote(name, sqsOf(connection), lambdaOf(connection));
}

function remote(name: string, sqs: SQSClient, lambda: LambdaClient): World {
  return {
    deployment: { sqs, lambda, names: namesOf(name) },
    tasks: undefined,
    add() {},
    async close() {
      sqs.destroy();
      lambda.destroy();
    },
  };
}
