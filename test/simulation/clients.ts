import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { StandardRetryStrategy } from '@smithy/core/retry';
import { trackClock } from '../../src/clock.ts';
import { Lambda } from '../../src/emulator/lambda/index.ts';
import { OWN_S3_SETTINGS } from '../../src/emulator/s3/client.ts';
import { Sqs } from '../../src/emulator/sqs/index.ts';
import {
  inProcess,
  OWN_SETTINGS,
  type Service,
  unsigned,
} from '../../src/emulator/transport/index.ts';
import { failure } from '../../src/emulator/transport/service.ts';
import { type Actor, currentActor } from './actors.ts';
import { type Command, type Middleware, Sender, type SendOptions } from './sender.ts';

/** The services that answer the clients' requests. */
export interface Services {
  sqs: Service;
  lambda: Service;
  /** @default none */
  s3?: Service;
  /** @default none */
  events?: Service;
}

/** Attempts at a call: the SDK's default. */
const MAX_ATTEMPTS = 3;

let services: Services = { sqs: new Sqs().service, lambda: new Lambda().service };

/** Complete configuration of the SDK's clients, so that they read no files. */
const CONFIG = {
  ...OWN_SETTINGS,
  region: 'us-east-1',
  endpoint: 'http://localhost',
  credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
  signer: unsigned,
  maxAttempts: MAX_ATTEMPTS,
  disableClockSkewCorrection: true,
  retryStrategy: {
    acquireInitialRetryToken: (scope: string) => strategy().acquireInitialRetryToken(scope),
    refreshRetryTokenForRetry: (...args: Parameters<Refresh>) =>
      strategy().refreshRetryTokenForRetry(...args),
    recordSuccess: (token: Parameters<StandardRetryStrategy['recordSuccess']>[0]) =>
      strategy().recordSuccess(token),
  },
};

type Refresh = StandardRetryStrategy['refreshRetryTokenForRetry'];

const strategies = new WeakMap<Actor, StandardRetryStrategy>();

/** Each process has a retry quota of its own. */
function strategy(): StandardRetryStrategy {
  const actor = currentActor();
  const own = strategies.get(actor) ?? new StandardRetryStrategy(MAX_ATTEMPTS);
  strategies.set(actor, own);
  return own;
}

const sqs = new SQSClient({
  ...CONFIG,
  md5: false,
  useQueueUrlAsEndpoint: false,
  requestHandler: inProcess((request) => services.sqs(request)),
});

const lambda = new LambdaClient({
  ...CONFIG,
  requestHandler: inProcess((request) => services.lambda(request)),
});

const none: Service = () => failure(500, 'InternalError', 'There is no such service.');

const s3 = new S3Client({
  ...CONFIG,
  ...OWN_S3_SETTINGS,
  requestHandler: inProcess((request) => (services.s3 ?? none)(request), { streams: true }),
});

const events = new EventBridgeClient({
  ...CONFIG,
  requestHandler: inProcess((request) => (services.events ?? none)(request)),
});

/** One client of each kind, whose calls are composed once for all processes. */
const tracked: SQSClient = trackClock(
  Object.create(sqs, { middlewareStack: { value: sqs.middlewareStack.clone() } }),
);
// The SDK types its middleware by the kinds of calls, which a sender does not tell apart.
const senders = {
  sqs: new Sender(tracked as never),
  lambda: new Sender(lambda as never),
  s3: new Sender(s3 as never),
  events: new Sender(events as never),
};

export function s3Client(): S3Client {
  return sending(s3, senders.s3);
}

export function eventsClient(): EventBridgeClient {
  return sending(events, senders.events);
}

export function lambdaClient(): LambdaClient {
  return sending(lambda, senders.lambda);
}

/** A client for one process. Each knows the time of SQS from its own answers. */
export function sqsClient(): SQSClient {
  const own = new Map<string, Middleware>();
  const add = (middleware: Middleware, { name }: { name: string }) => own.set(name, middleware);
  const client = sending(sqs, senders.sqs, own);
  Object.defineProperty(client, 'middlewareStack', { value: { add } });
  return trackClock(client);
}

function sending<C extends object>(
  client: C,
  sender: Sender,
  own?: ReadonlyMap<string, Middleware>,
): C {
  return Object.create(client, {
    send: {
      value: (command: Command, options?: SendOptions) => sender.send(command, options, own),
    },
  });
}

/**
 * V8 keeps the SDK's configuration as a hash table, of which each call makes three copies. It makes
 * a prototype that is read often an object with fixed places, which is copied six times as fast.
 */
function copyFast(config: object): void {
  const reader: { region?: unknown } = Object.create(config);
  for (let reads = 0; reads < 100; reads++) void reader.region;
}

/** Connects the clients to other services. */
export function connectClients(to: Services): void {
  services = to;
}

/** Lets the clients resolve their settings, so that a process's first run is like its later ones. */
export async function warmUp(): Promise<void> {
  // Node opens them at their first use, such as when a stream is piped.
  void [process.stdout, process.stderr];
  copyFast(s3.config);
  copyFast(events.config);
  copyFast(sqs.config);
  copyFast(lambda.config);
  await sqsClient().send(new CreateQueueCommand({ QueueName: 'warm' }));
  await lambdaClient()
    .send(new InvokeCommand({ FunctionName: 'none' }))
    .catch(() => {});
}
