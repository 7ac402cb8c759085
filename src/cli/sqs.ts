import type { Command } from 'commander';
import {
  isLoopback,
  openStore,
  type QueueSetup,
  type ServeSqsOptions,
  type SqsCredentials,
  type SqsServer,
  serveSqs,
} from '../emulator/sqs/index.ts';
import { FanfoldError, messageOf } from '../index.ts';
import { STATUS } from './exit.ts';
import { say } from './log.ts';
import { readNamed } from './named-file.ts';
import { untilAborted, wholeNumber } from './serve.ts';
import { untilSignal } from './signals.ts';

interface SqsFlags {
  host?: string;
  port?: string;
  queue?: string[];
  config?: string;
  credentials?: string[];
  cors?: string[];
  data?: string;
  account?: string;
  region?: string;
  strictTiming?: boolean;
}

/** Content of a configuration file: options of `serveSqs`, and a folder. */
interface Config
  extends Pick<ServeSqsOptions, 'host' | 'port' | 'region' | 'accountId' | 'strictTiming'> {
  data?: string;
  cors?: string[];
  credentials?: SqsCredentials[];
  queues?: (string | QueueSetup)[];
}

const PORT = 9324;

/** Key pairs like those of `--credentials`, separated by spaces, but not visible to other users. */
const CREDENTIALS = 'FANFOLD_SQS_CREDENTIALS';

/** `fanfold sqs`: serves SQS alone, for tests. */
export function addSqs(program: Command): void {
  const all = (value: string, before: string[] = []) => [...before, value];
  program
    .command('sqs')
    .description('serve only SQS on a port, as a server for tests: no Docker, no AWS account')
    .option('--host <address>', 'the address to listen on (default: 127.0.0.1)')
    .option('--port <n>', `the port; 0 takes any free port (default: ${PORT})`)
    .option('--queue <name>', 'create this queue on startup; repeat for more', all)
    .option(
      '--config <file>',
      'JSON file with queues, their attributes and tags, credentials and other options',
    )
    .option('--credentials <id:secret>', 'verify signatures with this key; repeat for more', all)
    .option(
      '--cors <origin>',
      'allow web pages of this origin, or of all ("*"); repeat for more',
      all,
    )
    .option('--data <folder>', 'store queues in this folder (default: in memory only)')
    .option('--account <id>', 'the account id for keys that name none (default: 000000000000)')
    .option('--region <name>', 'the region for requests that name none (default: us-east-1)')
    .option(
      '--strict-timing',
      'refuse the name of a deleted queue and a second purge for 60 s, as AWS does',
    )
    .addHelpText(
      'after',
      `
Any credentials are accepted unless --credentials, ${CREDENTIALS} or the file names one or more keys.
Other users of this machine can read a secret on a command line: the variable is safer. It holds
id:secret pairs, separated by spaces. The region is the one that the client signs for;
an access key id of 12 digits is the account id, as in LocalStack. GET /health answers 200 without a signature.
More: docs/sqs.md`,
    )
    .action((flags: SqsFlags) => untilSignal((signal) => run(flags, signal)));
}

async function run(flags: SqsFlags, signal: AbortSignal): Promise<number> {
  const config = flags.config === undefined ? {} : readConfig(flags.config);
  const options = merged(config, flags);
  await using server = await serveNamed(options, config, flags);
  printInstructions(server, options);
  await untilAborted(signal);
  say('stopping');
  return STATUS.ok;
}

type Options = Omit<Config, 'queues'> & Required<Pick<Config, 'queues' | 'cors'>>;

/** Merges the options: the command line takes precedence over the file, and lists are joined. */
function merged(config: Config, flags: SqsFlags): Options {
  const { host, data, account: accountId, region, strictTiming } = flags;
  const port = wholeNumber('--port', flags.port, 65_535) ?? config.port ?? PORT;
  const given = { host, data, accountId, region, strictTiming };
  const credentials = [
    ...(config.credentials ?? []),
    ...(process.env[CREDENTIALS] ?? '')
      .split(/\s+/)
      .filter((key) => key !== '')
      .map((key) => readCredentials(CREDENTIALS, key)),
    ...(flags.credentials ?? []).map((key) => readCredentials('--credentials', key)),
  ];
  return {
    strictTiming: false,
    ...config,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    port,
    ...(credentials.length > 0 ? { credentials } : {}),
    queues: [...(config.queues ?? []), ...(flags.queue ?? [])],
    cors: [...(config.cors ?? []), ...(flags.cors ?? [])],
  };
}

function readCredentials(source: string, given: string): SqsCredentials {
  const [, accessKeyId = '', secretAccessKey = ''] = /^([^:]+):(.+)$/.exec(given) ?? [];
  if (accessKeyId !== '') return { accessKeyId, secretAccessKey };
  throw new FanfoldError('BadOption', `${source} must be like an-id:its-secret.`);
}

/** Types of the values in a configuration file. */
const KEYS: Readonly<Record<keyof Config, [expected: string, is: (value: unknown) => boolean]>> = {
  host: ['a string', isText],
  port: ['a whole number', Number.isInteger],
  region: ['a string', isText],
  accountId: ['a string of 12 digits', isText],
  strictTiming: ['true or false', (value) => typeof value === 'boolean'],
  data: ['a string', isText],
  cors: ['a list of origins', Array.isArray],
  credentials: ['a list of { "accessKeyId", "secretAccessKey", "accountId" }', Array.isArray],
  queues: ['a list of names and { "name", "attributes", ... }', Array.isArray],
};

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

function readConfig(file: string): Config {
  const refuse = (why: string, cause?: unknown) =>
    new FanfoldError('BadOption', `--config ${file}: ${why}`, { cause });
  const text = readNamed('--config', file).replace(/^\ufeff/, '');
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (error) {
    const why = text.trim() === '' ? 'it is empty' : messageOf(error);
    throw refuse(`expected JSON, such as {"queues": ["jobs"]}, but ${why}.`, error);
  }
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw refuse('expected a JSON object, such as {"queues": ["jobs"]}.');
  }
  for (const [key, value] of Object.entries(config)) {
    const [expected, is] = Object.hasOwn(KEYS, key) ? KEYS[key as keyof Config] : [];
    if (is === undefined) {
      throw refuse(`there is no key "${key}"; known keys are ${Object.keys(KEYS).join(', ')}.`);
    }
    if (!is(value)) {
      // A malformed value of `credentials` may still contain a secret.
      const received = key === 'credentials' ? 'something else' : JSON.stringify(value);
      throw refuse(`${key}: expected ${expected}, but received ${received}.`);
    }
  }
  return config;
}

async function serveNamed(options: Options, config: Config, flags: SqsFlags): Promise<SqsServer> {
  const { data, ...rest } = options;
  const store = data === undefined ? undefined : openStore(data);
  try {
    return await serveSqs({ ...rest, openToAll: true, store });
  } catch (error) {
    if (!(error instanceof FanfoldError) || error.code !== 'BadOption') throw error;
    throw new FanfoldError('BadOption', placed(error.message, config, flags), { cause: error });
  }
}

/** Adds to a message where the wrong value is: in the file or in an option. */
function placed(message: string, { queues = [] }: Config, flags: SqsFlags): string {
  const [, name = '', index = ''] =
    /^`?(queues|cors|credentials)\b(?:\[(\d+)\])?/.exec(message) ?? [];
  const ofOption: Readonly<Record<string, boolean>> = {
    queues: Number(index) >= queues.length,
    cors: flags.cors !== undefined,
    credentials: flags.credentials !== undefined || process.env[CREDENTIALS] !== undefined,
  };
  if (name === '') return message;
  if (flags.config !== undefined && !ofOption[name]) return `--config ${flags.config}: ${message}`;
  return message.replace(/^queues\[\d+\]/, '--queue').replace(/^cors:/, '--cors:');
}

/** Prints the server's address and how to use it. */
function printInstructions(
  { url, host, port, sqs }: SqsServer,
  { credentials, queues, data }: Options,
): void {
  const here = isAnyAddress(host) ? `http://127.0.0.1:${port}` : url;
  const names = queues.map((queue) => (typeof queue === 'string' ? queue : queue.name));
  say(`serving SQS at ${url}${names.length > 0 ? `, queues: ${names.join(', ')}` : ''}`);
  say(
    data === undefined
      ? 'queues are in memory: they are lost when this process ends'
      : `queues are stored in ${data}`,
  );
  const [key] = credentials ?? [];
  const id = key?.accessKeyId ?? 'test';
  const secret = key === undefined ? "'test'" : '...';
  say(
    `new SQSClient({ endpoint: '${here}', region: '${sqs.region}', credentials: { accessKeyId: '${id}', secretAccessKey: ${secret} } })`,
  );
  if (credentials !== undefined) {
    say(`signatures are verified: ${credentials.map((one) => one.accessKeyId).join(', ')}`);
  } else if (isLoopback(host)) {
    say('any credentials and any region are accepted: signatures are not verified');
  } else {
    say(
      `anyone who can reach ${host} can use and delete these queues: signatures are not verified. To verify them, use --credentials or ${CREDENTIALS}`,
    );
  }
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
