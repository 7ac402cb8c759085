import { sqsAt } from '../endpoint/clients.ts';
import type { Endpoint } from '../endpoint/connection.ts';
import { explained, isRefusal, type Reached, reach } from '../endpoint/probe.ts';
import { findConnection } from '../endpoint/resolve-endpoint.ts';
import { FanfoldError, messageOf, nameOf } from '../errors.ts';
import { isTransient } from '../pipeline/call-errors.ts';
import { namesOf } from '../pipeline/names.ts';
import { queueOf } from '../pipeline/run/deployment.ts';
import { NAME } from '../worlds/world.ts';

/** A server or a stack that workers on this machine receive chunks from. */
export interface WorkTarget {
  readonly place: Endpoint;
  /** Display name. */
  readonly name: string;
  readonly queues: Reached;
  /** Turns a call's error into one that says what is wrong with the target. */
  explain(error: unknown): Promise<FanfoldError>;
  /** Whether a retry can't help. */
  isRefusal(error: unknown): boolean;
}

/** The server at an endpoint. @throws FanfoldError when it is not there or refuses the secret */
export async function serverSite(endpoint: string | undefined): Promise<WorkTarget> {
  const place = await findConnection(endpoint);
  return {
    place,
    name: place.endpoint,
    queues: await reach(place, namesOf(NAME)),
    explain: (error) => explained(error, place),
    isRefusal,
  };
}

/** A stack on AWS. @throws FanfoldError `BadOption` when there is none of that name */
export async function stackSite(stack: string): Promise<WorkTarget> {
  const names = namesOf(stack);
  const place = { stack };
  const sqs = sqsAt(place);
  try {
    const [taskQueueUrl, deadQueueUrl] = await Promise.all([
      queueOf({ sqs, names }),
      queueOf({ sqs, names }, names.dead),
    ]);
    return {
      place,
      name: `stack ${stack} on AWS`,
      queues: { taskQueueUrl, deadQueueUrl },
      explain: async (error) => new FanfoldError('RunFailed', messageOf(error), { cause: error }),
      // Credentials were present above; they may be missing for a moment while they are renewed.
      isRefusal: (error) => !isTransient(error) && nameOf(error) !== 'CredentialsProviderError',
    };
  } finally {
    sqs.destroy();
  }
}
