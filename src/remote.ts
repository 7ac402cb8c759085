import { lambdaAt, sqsAt } from './local/served/clients.ts';
import type { Place } from './local/served/connection.ts';
import { findConnection } from './local/served/find.ts';
import { reach } from './local/served/reach.ts';
import type { World } from './local/world.ts';
import { checkDeployment } from './pipeline/deployment.ts';
import { namesOf } from './pipeline/names.ts';

/**
 * A deployment on AWS, where its tasks and workers are.
 *
 * @throws FanfoldError `BadOption` when it is not there; errors of AWS are the SDK's own, with a sentence
 */
export function openStack(name: string): Promise<World> {
  return open(name, { stack: name });
}

/** A deployment where a server is: it is there, and knows the secret. */
export async function openServed(name: string, endpoint: string): Promise<World> {
  const connection = await findConnection(endpoint);
  await reach(connection, namesOf(name));
  return open(name, connection);
}

async function open(name: string, place: Place): Promise<World> {
  const names = namesOf(name);
  const sqs = sqsAt(place);
  const lambda = lambdaAt(place);
  const close = async () => {
    sqs.destroy();
    lambda.destroy();
  };
  try {
    await checkDeployment({ sqs, names });
  } catch (error) {
    await close();
    throw error;
  }
  const deployment = { sqs, lambda, names, countsLate: 'stack' in place };
  return { deployment, tasks: undefined, add() {}, close };
}
