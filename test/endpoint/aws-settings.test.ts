import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { InvokeCommand } from '@aws-sdk/client-lambda';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { createLambdaClient, Lambda } from '../../src/emulator/lambda/index.ts';
import { createSqsClient, Sqs } from '../../src/emulator/sqs/index.ts';
import { listen, OWN_SETTINGS } from '../../src/emulator/transport/index.ts';
import { lambdaAt, sqsAt } from '../../src/endpoint/clients.ts';
import { connect, type Fanfold, serve } from '../../src/index.ts';
import { REPOSITORY } from '../cli/command.ts';

const TASKS = join(REPOSITORY, 'test/fixtures/served-tasks.ts');

/** Settings of AWS clients in the environment, each with a value that breaks a call. */
const SETTINGS = {
  AWS_REGION: 'not a region!',
  AWS_DEFAULT_REGION: 'not a region!',
  AWS_PROFILE: 'missing',
  AWS_USE_FIPS_ENDPOINT: 'true',
  AWS_USE_DUALSTACK_ENDPOINT: 'perhaps',
  AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
  AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:1',
  AWS_ENDPOINT_URL_LAMBDA: 'http://127.0.0.1:1',
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'perhaps',
  AWS_MAX_ATTEMPTS: 'abc',
  AWS_RETRY_MODE: 'nonsense',
  AWS_DEFAULTS_MODE: 'nonsense',
  AWS_CA_BUNDLE: '/missing/ca.pem',
  AWS_SDK_UA_APP_ID: 'x'.repeat(100),
  AWS_REQUEST_CHECKSUM_CALCULATION: 'nonsense',
  AWS_RESPONSE_CHECKSUM_VALIDATION: 'nonsense',
  AWS_DISABLE_REQUEST_COMPRESSION: 'perhaps',
  AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES: 'abc',
  AWS_AUTH_SCHEME_PREFERENCE: 'nonsense',
  AWS_SIGV4A_SIGNING_REGION_SET: 'nonsense, ,',
  AWS_DISABLE_CLOCK_SKEW_CORRECTION: 'perhaps',
  AWS_ACCOUNT_ID_ENDPOINT_MODE: 'nonsense',
  AWS_EC2_METADATA_DISABLED: 'perhaps',
  AWS_CONTAINER_CREDENTIALS_FULL_URI: 'nonsense',
  HTTP_PROXY: 'http://127.0.0.1:1',
  HTTPS_PROXY: 'http://127.0.0.1:1',
  NODE_USE_ENV_PROXY: '1',
};

const BROKEN_FILE = `[profile missing]
use_fips_endpoint = perhaps
[default]
region = not a region!
use_fips_endpoint = perhaps
use_dualstack_endpoint = perhaps
endpoint_url = http://127.0.0.1:1
max_attempts = abc
retry_mode = nonsense
defaults_mode = nonsense
credential_process = /missing
[[ not a section
`;

afterEach(() => {
  vi.unstubAllEnvs();
});

function aFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'fanfold-settings-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

function stubSettings(): void {
  const file = join(aFolder(), 'config');
  writeFileSync(file, BROKEN_FILE);
  const files = { AWS_CONFIG_FILE: file, AWS_SHARED_CREDENTIALS_FILE: file };
  for (const [name, value] of Object.entries({ ...SETTINGS, ...files })) vi.stubEnv(name, value);
}

/** A client for each way to reach an SQS or a Lambda of this Fanfold. */
async function localClients() {
  const sqs = new Sqs();
  const lambda = new Lambda();
  lambda.addFunction('f', async () => 1);
  const credentials = { accessKeyId: 'K', secretAccessKey: 'S' };
  const queues = await listen(sqs.signedService([credentials]));
  const functions = await listen(lambda.signedService([credentials]));
  const place = { region: 'us-east-1', credentials };
  const close = async () => {
    await queues.close();
    await functions.close();
  };
  return {
    sqs: [
      createSqsClient(sqs),
      sqsAt({ ...place, endpoint: queues.url }),
      sqsAt({ ...place, endpoint: queues.url }, { receiveAttempt: () => 'w-1', maxAttempts: 2 }),
    ],
    lambda: [createLambdaClient(lambda), lambdaAt({ ...place, endpoint: functions.url })],
    close,
  };
}

type LocalClients = Awaited<ReturnType<typeof localClients>>;

async function useClients({ sqs, lambda, close }: LocalClients): Promise<void> {
  for (const client of sqs) {
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: 'q' }));
    await client.send(new ReceiveMessageCommand({ QueueUrl }));
  }
  for (const client of lambda) {
    await client.send(new InvokeCommand({ FunctionName: 'f', Payload: '{}' }));
  }
  await close();
}

it('a local client works with any AWS settings in the environment and its files', async () => {
  stubSettings();
  await useClients(await localClients());
});

it('a local client reads no setting of AWS', async () => {
  const read = new Set<string>();
  const { env } = process;
  process.env = new Proxy(env, {
    get(target, name) {
      if (typeof name === 'string' && /^_?(AWS|X_AMZN|SIGV4)/.test(name)) read.add(name);
      return Reflect.get(target, name);
    },
  });
  try {
    await useClients(await localClients());
  } finally {
    process.env = env;
  }
  // A trace that a Lambda function passes on, Node's age, and a socket's 15 minutes, of which an
  // answer's limit leaves nothing: they choose nothing.
  const passedOn = /^(_X_AMZN_TRACE_ID|AWS_LAMBDA_.*|.*_WARNING_DISABLED|.*_SOCKET_TIMEOUT_2026)$/;
  expect([...read].filter((name) => !passedOn.test(name))).toEqual([]);
});

it.each(['client-sqs', 'client-lambda'])('%s has only the given settings', (name) => {
  const main = createRequire(import.meta.url).resolve(`@aws-sdk/${name}`);
  const text = readFileSync(join(dirname(main), '../dist-es/runtimeConfig.js'), 'utf8');
  const looked = text.matchAll(/config\?\.(\w+) \?\?\s*loadNodeConfig/g);
  const settings = Array.from(looked, ([, setting]) => setting);
  expect(settings.length).toBeGreaterThan(6);
  // A service has a region.
  expect(Object.keys({ ...OWN_SETTINGS, region: '' })).toEqual(expect.arrayContaining(settings));
});

async function double(fanfold: Fanfold): Promise<void> {
  await using opened = fanfold;
  const run = opened.map('double', [21]);
  expect(await Array.fromAsync(run.outputs())).toEqual([42]);
}

it('runs in processes and on a server work with any AWS settings in the environment', async () => {
  stubSettings();
  await double(await connect({ tasks: TASKS, workers: 1 }));
  await using server = await serve({ data: aFolder(), port: 0, tasks: TASKS, workers: 1 });
  await double(await connect({ endpoint: server.url }));
});
