import type { LambdaClient } from '@aws-sdk/client-lambda';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { STSClient } from '@aws-sdk/client-sts';
import { eventsAt, lambdaAt, s3At, sqsAt, stsAt } from '../endpoint/clients.ts';
import type { Endpoint } from '../endpoint/connection.ts';
import { identityOf } from '../endpoint/identity.ts';
import { payloadsAt } from '../endpoint/payloads.ts';
import { reach } from '../endpoint/probe.ts';
import { findConnection } from '../endpoint/resolve-endpoint.ts';
import { refuseNested } from '../nested.ts';
import { namesOf } from '../pipeline/names.ts';
import { clientMeter } from '../pipeline/run/client-meter.ts';
import { queueOf } from '../pipeline/run/deployment.ts';
import type { Store, World } from './world.ts';

/**
 * Opens a deployment on AWS, where its tasks and workers are.
 *
 * @throws FanfoldError `BadOption` when it does not exist. Errors of AWS are the SDK's own, with an
 *   explanation
 */
export function openStack(name: string): Promise<World> {
  return open(name, { stack: name });
}

/** Limits that reveal a network which drops requests early. */
const QUICK_CALLS = { maxAttempts: 2, timeoutMs: 20_000 };

export interface AccountClients {
  sqs: SQSClient;
  lambda: LambdaClient;
  sts: STSClient;
  s3: S3Client;
}

/** Opens clients that only read from an AWS account. */
export async function openAccount(name: string): Promise<AccountClients> {
  const place = { stack: name };
  return {
    sqs: sqsAt(place, QUICK_CALLS),
    lambda: lambdaAt(place, QUICK_CALLS),
    sts: stsAt(place, QUICK_CALLS),
    s3: await s3At(place, QUICK_CALLS),
  };
}

/** Opens the deployment of a server, after checking that it answers and accepts the secret. */
export async function openServed(name: string, endpoint: string): Promise<World> {
  const connection = await findConnection(endpoint);
  await reach(connection, namesOf(name));
  return open(name, connection);
}

async function open(name: string, place: Endpoint): Promise<World> {
  const names = namesOf(name);
  const sqs = sqsAt(place);
  const lambda = lambdaAt(place);
  const close = async () => {
    sqs.destroy();
    lambda.destroy();
  };
  let identity: string;
  let taskQueueUrl: string;
  try {
    taskQueueUrl = await queueOf({ sqs, names });
    identity = await identityOf(place, sqs, taskQueueUrl);
  } catch (error) {
    await close();
    throw error;
  }
  const isStack = 'stack' in place;
  const metered = isStack ? clientMeter(sqs, await sqs.config.region()) : undefined;
  const payloads = payloadsAt(place, sqs, taskQueueUrl, metered);
  const known = { countsLate: isStack, metered, isShared: true };
  const deployment = { sqs, lambda, names, payloads, ...known };
  const shown = 'stack' in place ? `stack ${place.stack}` : place.endpoint;
  const nested = () => refuseNested(identity, shown);
  const store = 'stack' in place ? { store: await storeOf(place) } : {};
  return { deployment, ...store, tasks: undefined, add() {}, refuseNested: nested, close };
}

/** Clients that are made when they are needed. They end with the process. */
async function storeOf(place: { stack: string }): Promise<Store> {
  const s3 = once(() => s3At(place));
  const { beginStored, findStored } = await import('../pipeline/runs/stored-runs.ts');
  const clients = { s3, events: () => eventsAt(place) };
  return { clients, begin: beginStored, find: findStored };
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
