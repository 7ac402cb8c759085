import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { explaining } from './aws-errors.ts';
import { lambdaOf, sqsOf } from './local/served/clients.ts';
import { findConnection } from './local/served/find.ts';
import { reach } from './local/served/reach.ts';
import type { World } from './local/world.ts';
import type { Deployment } from './pipeline/deployment.ts';
import { namesOf } from './pipeline/names.ts';

/** A collector's polls, and the deletions of what they return, at once: the SDK's default is 50. */
const SOCKETS = { maxSockets: 100 };

/** A connection that was cut says nothing. A long poll takes 20 s, a page of inputs longer. */
const WAITING = {
  requestTimeout: 40_000,
  throwOnRequestTimeout: true,
  httpAgent: SOCKETS,
  httpsAgent: SOCKETS,
};
const SEEDING = { requestTimeout: 120_000, throwOnRequestTimeout: true };

/** A deployment on AWS: its tasks and workers are there. Nothing is asked of it yet. */
export function openStack(name: string): World {
  const sqs = explaining(new SQSClient({ requestHandler: WAITING }), name);
  const lambda = explaining(new LambdaClient({ requestHandler: SEEDING }), name);
  return remote({ sqs, lambda, names: namesOf(name), countsLate: true });
}

/** A deployment where a server is: it is there, and knows the secret. */
export async function openServed(name: string, endpoint: string): Promise<World> {
  const connection = await findConnection(endpoint);
  await reach(connection, namesOf(name));
  const names = namesOf(name);
  return remote({ sqs: sqsOf(connection), lambda: lambdaOf(connection), names });
}

function remote(deployment: Deployment): World {
  const { sqs, lambda } = deployment;
  return {
    deployment,
    tasks: undefined,
    add() {},
    async close() {
      sqs.destroy();
      lambda.destroy();
    },
  };
}
