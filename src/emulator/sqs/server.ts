import { checkWhole, FanfoldError } from '../../errors.ts';
import {
  type BodyFault,
  isLoopback,
  type Listening,
  listen,
  type ServiceRequest,
  type ServiceResponse,
} from '../transport/index.ts';
import type { SqsCredentials } from './callers.ts';
import { SqsError, type SqsErrorCode } from './errors.ts';
import { withCors, withHealth } from './front.ts';
import { makeQueues, type QueueSetup } from './made-queues.ts';
import { checkKeys, OF_SQS, type SqsOptions, wrong } from './options.ts';
import { refusal, Sqs } from './sqs.ts';

/** Options of `serveSqs`, which include those of an `Sqs`. */
export interface ServeSqsOptions extends SqsOptions {
  /** The address to listen on. @default '127.0.0.1', which only this machine can reach */
  host?: string;
  /** The port to listen on. @default any free port */
  port?: number;
  /**
   * The key pairs that clients can sign requests with. Without them, any client that reaches the
   * port has access, so the server listens on loopback only.
   * @default none
   */
  credentials?: readonly SqsCredentials[];
  /** Whether to listen elsewhere without `credentials`: any client has access. @default false */
  openToAll?: boolean;
  /** Queues that the server creates when it starts: names, or names with settings. @default none */
  queues?: readonly (string | QueueSetup)[];
  /** Origins whose pages may call it from a browser; `['*']` allows all. @default none */
  cors?: readonly string[];
  /**
   * Longest time in which a request can arrive, in seconds; then its connection is closed.
   * @default 60
   */
  requestTimeoutSeconds?: number;
  /**
   * An SQS to serve instead of a new one. It already has its account, region and other options.
   * @default a new one
   */
  sqs?: Sqs;
}

/** An SQS on a port. */
export interface SqsServer extends Listening {
  /** The SQS that it serves. */
  readonly sqs: Sqs;
}

/**
 * Serves an SQS on a port, to any AWS client:
 *
 * ```ts
 * const credentials = { accessKeyId: 'tester', secretAccessKey: 'a secret' };
 * await using server = await serveSqs({ credentials: [credentials], queues: ['mail'] });
 * const client = new SQSClient({ endpoint: server.url, region: 'us-east-1', credentials });
 * ```
 */
export async function serveSqs(options: ServeSqsOptions = {}): Promise<SqsServer> {
  checkOptions(options);
  const { credentials, queues = [], cors = [], sqs = new Sqs(ofSqs(options)) } = options;
  const service = credentials ? sqs.signedService(credentials, { everyRegion: true }) : sqs.service;
  const healthy = withHealth(service);
  const front = cors.length > 0 ? withCors(healthy, cors) : healthy;
  const listening = await start(
    async () => {
      await makeQueues(sqs, queues);
      return listen(front, { ...options, refuseBody });
    },
    options.sqs ? undefined : sqs,
  );
  const close = async () => {
    await sqs.close();
    await listening.close();
  };
  return { ...listening, sqs, close, [Symbol.asyncDispose]: close };
}

/** @param made the SQS to close if the server can't start */
async function start(
  listening: () => Promise<Listening>,
  made: Sqs | undefined,
): Promise<Listening> {
  try {
    return await listening();
  } catch (error) {
    await made?.close();
    throw error;
  }
}

/** Refuses, in the caller's own protocol, a body that is not read. */
function refuseBody(request: ServiceRequest, fault: BodyFault, message: string): ServiceResponse {
  return refusal(new SqsError(BODY_ERRORS[fault], message), request);
}

const BODY_ERRORS = {
  tooLong: 'RequestEntityTooLarge',
  noRoom: 'ServiceUnavailable',
} as const satisfies Record<BodyFault, SqsErrorCode>;

const OPTIONS: readonly (keyof ServeSqsOptions)[] = [
  ...OF_SQS,
  'host',
  'port',
  'credentials',
  'openToAll',
  'queues',
  'cors',
  'requestTimeoutSeconds',
  'sqs',
];

/** The options that belong to the `Sqs` itself. */
function ofSqs(options: ServeSqsOptions): SqsOptions {
  const own = OF_SQS.map((name) => [name, options[name]] as const);
  return Object.fromEntries(own.filter(([, value]) => value !== undefined));
}

function checkOptions(options: ServeSqsOptions): void {
  // A misspelt `credentials` would open the server to all.
  checkKeys(options, OPTIONS, 'serveSqs()');
  const { port = 0, requestTimeoutSeconds = 60 } = options;
  const { host = '127.0.0.1', credentials, openToAll = false, cors = [] } = options;
  if (credentials !== undefined) checkCredentials(credentials);
  else if (!isLoopback(host) && !openToAll) {
    throw new FanfoldError(
      'BadOption',
      `Other machines can reach ${host}: set \`credentials\`, so that requests must be signed, or listen on 127.0.0.1.`,
    );
  }
  if (!Array.isArray(cors) || !cors.every(isOrigin)) {
    throw wrong('cors', 'a list of origins, such as "http://localhost:5173", or ["*"]', cors);
  }
  checkWhole('port', port, 0, 65_535);
  if (!Number.isFinite(requestTimeoutSeconds) || requestTimeoutSeconds <= 0) {
    throw new FanfoldError(
      'BadOption',
      `\`requestTimeoutSeconds\` must be a number of seconds over 0; got "${requestTimeoutSeconds}".`,
    );
  }
  const lost = OF_SQS.find((name) => options.sqs && options[name] !== undefined);
  if (lost === undefined) return;
  throw new FanfoldError(
    'BadOption',
    `\`${lost}\` is an option of a new Sqs and has no effect on the given \`sqs\`: pass it to \`new Sqs\`.`,
  );
}

function checkCredentials(credentials: readonly SqsCredentials[]): void {
  const usable =
    Array.isArray(credentials) &&
    credentials.every(
      (one: Partial<SqsCredentials> | null) =>
        isText(one?.accessKeyId) &&
        isText(one?.secretAccessKey) &&
        !/[\s,/=]/.test(one.accessKeyId) &&
        /^\d{12}$/.test(one.accountId ?? '000000000000'),
    );
  if (usable && credentials.length > 0) return;
  throw new FanfoldError(
    'BadOption',
    '`credentials` must be a list of at least one { accessKeyId, secretAccessKey }, optionally with an `accountId` of 12 digits. Neither string may be empty, and the id must not contain white space, commas, "/" or "=".',
  );
}

function isOrigin(value: unknown): boolean {
  return value === '*' || (typeof value === 'string' && URL.parse(value)?.origin === value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
